/* Ports: a stage's ends of the edges, which the host owns.
 *
 * A port is given by PlOpen and may be used from `start` until the stage's `close` returns; `bind` is allowed from `open` on.
 * One thread at a time uses a port; which one may change if the stage orders the calls. Two ports are independent. */
#ifndef PIPELINE_PORT_H
#define PIPELINE_PORT_H

#include "message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Given by the stage, called by the host when an armed port may move again: once for each PL_AGAIN or empty `recv`.
 *
 * It comes on any thread, also inside a port or batch call of another stage, and perhaps before the call that armed the port
 * has returned. It must return at once and must not call a port: set a flag and wake the thread that does. A call may be
 * spurious, and it may come late, while the stage closes or after: see `bind`. */
typedef void (*PlNotify)(void *ctx);

typedef struct PlPortVt PlPortVt;

/* One end of an edge. Owned by the host; a stage looks only at `vt`. */
typedef struct PlPort {
    const PlPortVt *vt;
} PlPort;

/* The functions of a port. None blocks. */
struct PlPortVt {
    uint32_t struct_size; /* sizeof(PlPortVt) of the host */
    uint32_t reserved;    /* zero */

    /* Says whom to wake. Once, before the first `send` or `recv`. `ctx` may be null and must outlive late calls: let it be
     * static, or keep it in a list and use it again (a late call is then a spurious one for its next user). Answers PL_OK,
     * PL_ERR_INVALID without a `notify`, or PL_CLOSED. */
    int32_t (*bind)(PlPort *port, PlNotify notify, void *ctx);

    /* Output ports. Hands a batch on.
     *   PL_OK           one reference moved to the host. The messages may already be settled when this returns.
     *   PL_AGAIN        not moved: no credit. The port is armed and notifies when there is.
     *   PL_CLOSED       not moved: nobody will ever take it.
     *   PL_ERR_INVALID  not moved: the batch breaks a rule of message.h, or this is no output port. */
    int32_t (*send)(PlPort *port, const PlBatch *batch);

    /* Input ports. Takes what waits, in order, up to `max` batches.
     *   above 0         so many references moved to the caller, at out[0] and after.
     *   0               empty. The port is armed and notifies when something waits.
     *   PL_CLOSED       nothing will ever come.
     *   PL_ERR_INVALID  `max` is 0, or this is no input port. */
    int32_t (*recv)(PlPort *port, const PlBatch **out, uint32_t max);
};

#ifdef __cplusplus
}
#endif

#endif
