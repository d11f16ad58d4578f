/* SPDX-License-Identifier: BSD-3-Clause */
/* simulate.h -- what a simulated scan is made from; sizes are rows and columns. */
#ifndef AG_SIMULATE_H
#define AG_SIMULATE_H

#include "core.h"

#define GOLDEN_ANGLE 2.399967 /* with PtychoEP's digits */

void ag_simulated_object(ag_complex *object, int64_t size, int64_t frame);
/* Airy-like and real; at half height the spot is an eighth of the frame wide. */
void ag_simulated_probe(ag_complex *probe, int64_t frame);
/* Wide and speckled, for the near field. */
void ag_simulated_near_probe(ag_complex *probe, int64_t frame);

#endif
