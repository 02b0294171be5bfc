/* A stage instance: how it is opened, controlled and, for a filter, called.
 *
 *                open            start             drain                  close
 *   (nothing) ────────▶ OPENING        READY ────────▶ RUNNING ────────▶ DRAINING       any ────────▶ CLOSED
 *                          │             ▲                                  │
 *                          └── OPENED ───┘                                  └── DRAINED ──▶ DRAINED
 *
 *   any state ── FAILED ──▶ FAILED          ports, and a filter's `process`, are used in RUNNING and DRAINING
 *
 * Small words are calls of the host, capitals on the arrows are events of the stage (PlHost.event in host.h). The host makes
 * the control calls of one instance one after another, on any of its threads; those of two instances may overlap. */
#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H

#include "port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a stage instance is opened with. Borrowed for the call of `open`, all of it, but for the ports themselves, which live
 * until `close` has returned. */
typedef struct PlOpen {
    uint32_t struct_size;      /* sizeof(PlOpen) of the host */
    uint32_t instance;         /* index of this copy of the flow, from 0 */
    uint32_t instances;        /* number of copies of the flow */
    uint32_t n_inputs;         /* number of input ports */
    uint32_t n_outputs;        /* number of output ports, 0 or 1 */
    uint32_t retry_initial_ms; /* first wait between two tries of a sink */
    uint32_t retry_max_ms;     /* longest wait between two tries of a sink */
    uint32_t window_messages;  /* most unsettled messages that the edge behind the output takes; 0 without an output */
    uint64_t cookie;           /* names this instance in every call to the host; never 0, never used again */
    PlStr flow;                /* name of the flow, text */
    PlStr stage;               /* name of the stage in the flow, text */
    PlStr kind;                /* the word of `use:`, text */
    PlStr state_dir;           /* folder where this stage may keep state, text; empty when the host has none */
    PlStr config_json;         /* the settings, a JSON object that passed the schema and `validate` */
    PlPort *const *inputs;     /* n_inputs ports; a filter uses none of either kind, it is called */
    const PlStr *input_names;  /* name of the stage behind each input, text */
    PlPort *const *outputs;    /* n_outputs ports */
    const PlStr *output_names; /* name of what is behind each output, text */
    uint64_t window_bytes;     /* most unsettled bytes that the edge behind the output takes; 0 without an output */
    double trace_ratio;        /* share of the messages without a trace that a source begins one for, 0 to 1 */
    double traces_per_second;  /* traces that a source begins each second at least, if it has messages; 0: none */
} PlOpen;

/* Events: what an instance tells by PlHost.event. */
enum {
    PL_EVENT_OPENED = 1,   /* in OPENING: listeners listen, `start` may be called */
    PL_EVENT_DRAINED = 2,  /* in DRAINING: nothing more will be sent, all that was received is settled or handed on */
    PL_EVENT_CLOSED = 3,   /* all threads of the instance have ended; optional: `close` answers the same */
    PL_EVENT_FAILED = 4,   /* the instance cannot go on; status and text say why. The host closes and reopens it */
    PL_EVENT_FINISHED = 5, /* in RUNNING: a source that has an end has reached it */
    PL_EVENT_HEALTH = 6    /* in any state: health changed; the status is a PL_HEALTH_*, the text says why */
};

/* Status of PL_EVENT_HEALTH. */
enum {
    PL_HEALTH_READY = 0,   /* works as it should */
    PL_HEALTH_DEGRADED = 1 /* works, but something is wrong now (retrying, reconnecting): nothing is lost */
};

typedef struct PlStageVt PlStageVt;

/* A stage instance. Made by `open`, freed by `close`; the host looks only at `vt`. Usually the first member of the plugin's
 * own structure. */
typedef struct PlStage {
    const PlStageVt *vt;
} PlStage;

/* A message that a filter cannot process. */
typedef struct PlReject {
    uint32_t index;    /* of the input message */
    uint32_t reserved; /* zero */
    PlStr why;         /* text */
} PlReject;

/* What a filter answers: at most one batch, and rejects. The host zeroes it before the call, but for struct_size. An input
 * message that is in neither list was dropped on purpose and is done; one that is in both is settled when both are. */
typedef struct PlFiltered {
    uint32_t struct_size;    /* sizeof(PlFiltered) of the host */
    uint32_t n_rejects;
    const PlBatch *batch;    /* one reference of it moves to the host; null: no output. It may point into the input, which
                                the host keeps until the output is released. Its `done` and `reject` are never called. */
    const uint32_t *origin;  /* for every output message the index of the input message that it came from, never
                                decreasing; valid as long as `batch` */
    const PlReject *rejects; /* in the order of the input; valid until the next `process` or `close` */
} PlFiltered;

/* The functions of a stage instance. Each returns promptly (milliseconds, never waiting for a peer) and is answered by an
 * event, which may come before the call returns. A failure status of `start` or `drain` counts as PL_EVENT_FAILED. */
struct PlStageVt {
    uint32_t struct_size; /* sizeof(PlStageVt) of the plugin */
    uint32_t reserved;    /* zero */

    /* In READY, once: ports may be used from now on. */
    int32_t (*start)(PlStage *stage);

    /* In RUNNING, once, top to bottom: what is upstream of a stage has drained before. A source sends nothing more; a sink
     * settles what it holds and what its ports still have, until each is empty or answers PL_CLOSED. Then:
     * PL_EVENT_DRAINED. The host waits for `deadline_ms`, then closes. A filter answers at once. */
    int32_t (*drain)(PlStage *stage, uint32_t deadline_ms);

    /* In any state, also OPENING, once, last. Asks the instance's threads to end, joins them and frees the instance; the
     * only control call that may wait, for at most `timeout_ms`. What is unsettled is dropped: the host redelivers it.
     *   PL_OK           `stage` is gone. From now on the instance calls no host function, no port and no batch; a `notify`
     *                   may still come.
     *   PL_ERR_TIMEOUT  threads still run. The instance is leaked, and the host commits what is done and ends the process. */
    int32_t (*close)(PlStage *stage, uint32_t timeout_ms);

    /* Filters only, null in other stages. In RUNNING and DRAINING, on one thread at a time, which belongs to a neighbouring
     * stage: must not block and must not call a port. The input is borrowed for the call. `out` is looked at only on PL_OK.
     *   PL_OK     processed.
     *   PL_AGAIN  the output does not fit one batch: the host calls again with each half of the messages. Of a single
     *             message it means that its output is too large, and the message is rejected.
     *   below 0   nothing of the input counts as processed, and the instance has failed. */
    int32_t (*process)(PlStage *stage, const PlBatch *input, PlFiltered *out);
};

#ifdef __cplusplus
}
#endif

#endif
