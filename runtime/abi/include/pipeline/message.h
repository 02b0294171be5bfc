/* Messages and batches: what flows.
 *
 * A producer makes a batch, hands it to the host (port.h) and hears `done` for each of its messages, exactly once and in any
 * order. A sink receives the host's view of a batch: same messages, but the host's functions, by which it says for each
 * message `done` or `reject`. */
#ifndef PIPELINE_MESSAGE_H
#define PIPELINE_MESSAGE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A name and a value that travel with a message. */
typedef struct PlHeader {
    PlStr name;  /* text */
    PlStr value; /* any bytes */
} PlHeader;

/* W3C trace context in binary form (https://www.w3.org/TR/trace-context/). */
typedef struct PlTrace {
    uint8_t trace_id[16]; /* all zero is invalid */
    uint8_t span_id[8];   /* the span that was current when the message was handed on: the parent of the next one */
    uint8_t flags;        /* bit 0: sampled */
    uint8_t reserved[7];  /* zero */
    PlStr tracestate;     /* the `tracestate` text, or empty */
} PlTrace;

/* PlMsg.flags */
enum {
    PL_MSG_REPLAY = 1,      /* was delivered before and is sent again to refill buffers; must not move a commit */
    PL_MSG_HAS_POSITION = 2 /* partition and offset are meant, and the batch names the topic */
};

/* One message, exactly one cache line. */
typedef struct PlMsg {
    const uint8_t *payload;  /* may be null when payload_len is 0 */
    const uint8_t *key;      /* null: no key */
    uint32_t payload_len;
    uint32_t key_len;
    const PlHeader *headers; /* n_headers of them; may be null when there are none */
    uint16_t n_headers;
    uint16_t flags;          /* PL_MSG_* */
    int32_t partition;       /* Kafka partition, if PL_MSG_HAS_POSITION */
    int64_t offset;          /* Kafka offset, if PL_MSG_HAS_POSITION */
    int64_t ts_ns;           /* when the message entered the system, nanoseconds since the Unix epoch */
    const PlTrace *trace;    /* null: none */
} PlMsg;

/* Most messages that one batch may hold. */
#define PL_BATCH_MAX 4096

typedef struct PlBatch PlBatch;

/* The functions of a batch. Any thread may call them, several at once, as long as the caller holds a reference; none blocks
 * and none calls a port. They may run inside a `notify`, a host function or another batch's function.
 *
 * The maker of a batch must be ready for that: the host calls `done` and `release` on whatever thread the last word came
 * from, which may be inside the producer's own call to PlPortVt.send. So `done` must not take a lock that the producer
 * holds while it sends, and must not wait for the producer's thread. */
typedef struct PlBatchVt {
    uint32_t struct_size; /* sizeof(PlBatchVt) of the maker */
    uint32_t reserved;    /* zero */

    /* Takes one more reference. */
    void (*retain)(const PlBatch *batch);

    /* Gives one reference back; the last one frees, and the caller must not look at the batch again. A sink settles all
     * messages before its last release: released unsettled, other than while `close` runs, is an error, which is told
     * once and fails the instance. */
    void (*release)(const PlBatch *batch);

    /* Messages first .. first + count are delivered. Each message is settled once: the first word counts, what comes later
     * or lies outside of the batch is ignored and counted.
     * On a batch from PlPortVt.recv: the sink calls it, in any order and in any portions, until `close` returns.
     * On a batch given to PlPortVt.send: the host calls it. No call comes after the host's release, which it also does,
     * without `done`, when it gives up what was not settled while the stage closes. */
    void (*done)(const PlBatch *batch, uint32_t first, uint32_t count);

    /* Messages first .. first + count can never be delivered; `why` is text. Only a sink calls it, on what it received; the
     * host routes the messages by `on_reject` and tells the producer `done` when that is settled. A maker of batches fills
     * it in with a function that does nothing. */
    void (*reject)(const PlBatch *batch, uint32_t first, uint32_t count, PlStr why);
} PlBatchVt;

/* An immutable, reference-counted group of messages, owned by whoever made it: the maker allocates and, on the last
 * release, frees. All that is reachable from it stays valid and unchanged until then. */
struct PlBatch {
    uint32_t struct_size; /* sizeof(PlBatch) of the maker */
    uint32_t msg_stride;  /* distance of two messages in bytes: sizeof(PlMsg) of the maker, at least 64 */
    uint32_t n_msgs;      /* 1 to PL_BATCH_MAX */
    uint32_t flags;       /* zero */
    PlStr topic;          /* topic of the messages' positions, text; empty when they have none */
    const PlMsg *msgs;    /* walk them with pl_msg: a newer peer may have longer messages */
    const PlBatchVt *vt;
    uint64_t bytes;       /* sum of payload and key bytes: what the batch costs of an edge's byte window */
    int64_t made_ns;      /* when the batch was made, nanoseconds since the Unix epoch */
};

/* Message i of a batch, i below n_msgs. */
static inline const PlMsg *pl_msg(const PlBatch *batch, uint32_t i) {
    return (const PlMsg *)(const void *)((const uint8_t *)batch->msgs + (size_t)i * batch->msg_stride);
}

#ifdef __cplusplus
}
#endif

#endif
