/* poke.c - wake-ups, at once or collected. */
#include "log/embedded/poke.h"

#include "log/embedded/state.h"

void wr_poke(struct wr_embedded *e, struct wr_poke *poke)
{
    if (poke->is_signalled) {
        return;
    }
    poke->is_signalled = true;
    if (e->is_collecting) {
        poke->next = e->pokes;
        e->pokes = poke;
    } else {
        wr_wake_signal(&poke->wake);
    }
}

void wr_poke_calm(struct wr_poke *poke)
{
    if (poke->is_signalled) {
        poke->is_signalled = false;
        (void)wr_wake_clear(&poke->wake);
    }
}

void wr_poke_collect(struct wr_embedded *e)
{
    WR_ASSERT(e->pokes == NULL);
    e->is_collecting = true;
}

void wr_poke_deliver(struct wr_embedded *e)
{
    e->is_collecting = false;
    for (struct wr_poke *poke = e->pokes; poke != NULL; poke = poke->next) {
        wr_wake_signal(&poke->wake);
    }
    e->pokes = NULL;
}
