/* SPDX-License-Identifier: BSD-3-Clause */
/* cxi.h -- the places in a CXI file that the reader and the writer agree on. */
#ifndef AG_CXI_H
#define AG_CXI_H

#include "draft.h"

#define CXI_SOURCE        "entry_1/instrument_1/source_1"
#define CXI_ENERGY        CXI_SOURCE "/energy"
#define CXI_WAVELENGTH    CXI_SOURCE "/wavelength"
#define CXI_PROBE         CXI_SOURCE "/illumination"
#define CXI_DETECTOR      "entry_1/instrument_1/detector_1"
#define CXI_DATA          CXI_DETECTOR "/data"
#define CXI_DISTANCE      CXI_DETECTOR "/distance"
#define CXI_X_PIXEL       CXI_DETECTOR "/x_pixel_size"
#define CXI_Y_PIXEL       CXI_DETECTOR "/y_pixel_size"
#define CXI_BASIS         CXI_DETECTOR "/basis_vectors"
#define CXI_CORNER        CXI_DETECTOR "/corner_position"
#define CXI_MASK          CXI_DETECTOR "/mask"
#define CXI_DARK          CXI_DETECTOR "/data_dark"
#define CXI_DARK_PYNX     CXI_DETECTOR "/dark"
#define CXI_WHITE         CXI_DETECTOR "/data_white"
#define CXI_TRANSLATION   "entry_1/sample_1/geometry_1/translation"
#define CXI_LINKED_DATA   "entry_1/data_1/data"
#define CXI_LINKED_PLACES "entry_1/data_1/translation"
#define CXI_IMAGE         "entry_1/image_1/data"

/* argand's own, beside what the format knows: amplitudes where the scan has these (`data`
   then holds their squares), and the object's shape as an attribute of the translations.  */
#define CXI_AMPLITUDE    CXI_DETECTOR "/amplitude"
#define CXI_OBJECT_SHAPE "object_shape"
/* Near field: the text "near field" and, but for a parallel beam, the distance from focus to sample; a
   file without them is a far-field one. */
#define CXI_GEOMETRY   CXI_DETECTOR "/propagation"
#define CXI_FOCUS      CXI_SOURCE "/focus_distance"
#define CXI_NEAR_FIELD "near field"
/* Positions in pixels, as metres cannot tell them to the last bit. */
#define CXI_CORNER_PX "entry_1/positions/corner_px"

/* A mask bit that marks signal above background, which is not a fault. */
#define CXI_MASK_SIGNAL 4096

/* Frames, mask, dark and flat field (cxi_frames.c). */
void cxi_read_frames(ag_file *file, ag_draft *draft);
/* Positions in metres from the translations of the sample, which come as (frames, 3), (frames, 2),
   (3, frames) or (2, frames), along the unit vectors of the detector's rows and columns.  */
void cxi_read_positions(ag_file *file, ag_draft *draft, const char *field, const double step[2][3],
                        double unit);
/* Where they are. */
const char *cxi_translation(ag_file *file);

#endif
