/* SPDX-License-Identifier: BSD-3-Clause */
/* propagate.c -- load, transform, what the detector says, transform back, store. */
#include "core.h"

void
ag_propagate(const ag_pass *p, ag_load *load, ag_middle *middle, void *what, ag_store *store,
             ag_array *result)
{
    const int64_t waves = p->slots * p->plan->shape.modes;
    ag_program_join(p->program, load && store);
    if (load)
        load(p->program, waves, p->scratch, p->plan->table_y, &p->frame, p->corner, p->fraction, p->object,
             p->object_cols, &p->probe, p->probe_step, p->spill);
    ag_plan_transform(p->plan, waves, p->scratch, 0);
    middle(p, what);
    if (!store)
        return;
    ag_plan_transform(p->plan, waves, p->scratch, 1);
    store(p->program, waves, result, p->scratch, p->plan->table_y, &p->frame, p->corner, p->fraction, p->object,
          p->object_cols, &p->probe, p->probe_step, p->spill);
    ag_program_join(p->program, 0);
}
