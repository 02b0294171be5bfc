/* What the host offers to a plugin: logs, spans, instruments, events, status. */
#ifndef PIPELINE_HOST_H
#define PIPELINE_HOST_H

#include "message.h"

#ifdef __cplusplus
extern "C" {
#endif

/* PlField.kind */
enum {
    PL_FIELD_STR = 0, /* text in s */
    PL_FIELD_I64 = 1, /* a signed integer in n */
    PL_FIELD_U64 = 2, /* an unsigned integer in n */
    PL_FIELD_F64 = 3, /* the bits of a double in n */
    PL_FIELD_BOOL = 4 /* 0 or 1 in n */
};

/* A name with a typed value: of a log, a span or an instrument. */
typedef struct PlField {
    PlStr name;        /* text */
    uint32_t kind;     /* PL_FIELD_* */
    uint32_t reserved; /* zero */
    PlStr s;           /* the value if PL_FIELD_STR */
    uint64_t n;        /* the value otherwise */
} PlField;

/* One log event. */
typedef struct PlLog {
    uint32_t struct_size;  /* sizeof(PlLog) of the plugin */
    uint32_t level;        /* 1 error, 2 warn, 3 info, 4 debug, 5 trace */
    uint64_t cookie;       /* the instance, or 0 when it is not known */
    int64_t ts_ns;         /* nanoseconds since the Unix epoch */
    PlStr target;          /* where it comes from (a module path), text */
    PlStr message;         /* text */
    PlStr file;            /* source file, text, may be empty */
    uint32_t line;         /* source line, 0 when unknown */
    uint32_t n_fields;
    const PlField *fields; /* may be null when there are none */
    uint8_t trace_id[16];  /* trace that it belongs to, zero when none */
    uint8_t span_id[8];    /* span that it belongs to, zero when none */
} PlLog;

/* Something that happened inside a span. */
typedef struct PlSpanEvent {
    int64_t ts_ns;         /* nanoseconds since the Unix epoch */
    PlStr name;            /* text */
    const PlField *fields; /* the attributes */
    uint32_t n_fields;
    uint32_t reserved;     /* zero */
} PlSpanEvent;

/* A finished span; its ids were made in the plugin. */
typedef struct PlSpan {
    uint32_t struct_size;      /* sizeof(PlSpan) of the plugin */
    uint32_t kind;             /* as OpenTelemetry's SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer */
    uint64_t cookie;           /* the instance */
    uint8_t trace_id[16];
    uint8_t span_id[8];        /* its own */
    uint8_t parent_span_id[8]; /* zero for a root */
    uint32_t parent_is_remote; /* 1 when the parent came from another process */
    uint32_t status;           /* as OpenTelemetry's status: 0 unset, 1 ok, 2 error */
    int64_t start_ns;          /* nanoseconds since the Unix epoch */
    int64_t end_ns;            /* nanoseconds since the Unix epoch */
    PlStr name;                /* text */
    PlStr status_message;      /* text, for status 2 */
    PlStr tracestate;          /* text */
    const PlField *fields;     /* the attributes */
    const PlSpanEvent *events;
    uint32_t n_fields;
    uint32_t n_events;
} PlSpan;

/* PlInstrumentSpec.kind */
enum {
    PL_INSTRUMENT_COUNTER = 0,  /* adds; recorded bits are an unsigned integer */
    PL_INSTRUMENT_GAUGE = 1,    /* the last value counts; recorded bits are a double */
    PL_INSTRUMENT_HISTOGRAM = 2 /* a distribution over `bounds`; recorded bits are a double: finite and from 0, else left out */
};

/* Recorded for a gauge, takes it out of the metrics until another value is: what it told about is not there any more. The bits
 * are a NaN, Prometheus' own mark of a series that ended. When an instance is closed, the host does so for its gauges. */
#define PL_GAUGE_ABSENT UINT64_C(0x7ff0000000000002)

/* What an instrument is. */
typedef struct PlInstrumentSpec {
    uint32_t struct_size;  /* sizeof(PlInstrumentSpec) of the plugin */
    uint32_t kind;         /* PL_INSTRUMENT_* */
    uint64_t cookie;       /* the instance; flow, stage and instance become labels */
    PlStr name;            /* without unit and `_total`, text, `pipeline_…` */
    PlStr unit;            /* `seconds`, `bytes`, or empty, text */
    PlStr help;            /* one line for people, text */
    const PlField *labels; /* few values, all bounded */
    const double *bounds;  /* upper bounds of a histogram's buckets, ascending from 0 */
    uint32_t n_labels;
    uint32_t n_bounds;
} PlInstrumentSpec;

/* An instrument's handle. Owned by the host and never freed, so it may be kept over restarts of the instance. */
typedef struct PlInstrument PlInstrument;

/* The host, as a plugin sees it: one per process, valid until the process ends; keep the pointer that the entry was given.
 * Every function may be called on any thread, in any state, also inside other calls, and does not block. What belongs to an
 * instance names it by cookie; a cookie that is unknown, or whose instance is closed, is counted and otherwise ignored. */
typedef struct PlHost {
    uint32_t struct_size;      /* sizeof(PlHost) of the host */
    uint16_t abi_major;        /* PL_ABI_MAJOR of the host */
    uint16_t abi_minor;        /* PL_ABI_MINOR of the host */
    uint64_t features;         /* zero */
    void *ctx;                 /* first argument of the functions */
    const uint32_t *max_level; /* the most detailed log level that is wanted now, 0 (none) to 5; it changes: read it with a
                                  relaxed atomic load before building a log */

    /* Takes a log event. */
    void (*log)(void *ctx, const PlLog *log);

    /* Takes a finished span. */
    void (*span)(void *ctx, const PlSpan *span);

    /* Gives the instrument of a specification; the same one for the same specification, also after a restart. Null when the
     * specification is refused, which is logged. Not for hot paths: register once, keep the handle. */
    PlInstrument *(*instrument)(void *ctx, const PlInstrumentSpec *spec);

    /* Records a value; wait-free. A null instrument is ignored. */
    void (*record)(PlInstrument *instrument, uint64_t bits);

    /* Takes a PL_EVENT_* (stage.h) of the instance `cookie`. `status` is a PL_HEALTH_*, for PL_EVENT_FAILED a PL_ERR*, else
     * PL_OK; `text` may be empty. */
    void (*event)(void *ctx, uint64_t cookie, uint32_t event, int32_t status, PlStr text);

    /* Takes the instance's status document, a JSON object, which replaces the one before. */
    void (*status)(void *ctx, uint64_t cookie, PlStr json);

    /* Optional features by versioned name, like `pl.foo/1`; null when not offered, else valid until the process ends. */
    const void *(*get_ext)(void *ctx, PlStr name);

    /* Adds an event to the span that a message's trace names, which another instance of this process holds open; it is
     * exported with that span. Kept in bounded memory, and dropped when that span is never passed to `span`. Only for
     * sampled traces. */
    void (*span_event)(void *ctx, uint64_t cookie, const PlTrace *trace, const PlSpanEvent *event);

    /* Records a value as `record` does, and keeps it as an example of its bucket together with the trace of the message that it
     * was measured of. Only for sampled traces; does not wait. A null instrument is ignored. */
    void (*record_traced)(PlInstrument *instrument, uint64_t bits, const PlTrace *trace);
} PlHost;

#ifdef __cplusplus
}
#endif

#endif
