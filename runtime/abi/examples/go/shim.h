// What cgo cannot say in Go: structures that begin with a vtable, and calls through function pointers.
#ifndef SHIM_H
#define SHIM_H

#include <pipeline/abi.h>

// A stage instance as the host sees it; Go finds its own half by the cookie.
typedef struct GoStage {
    PlStage stage;
    uint64_t cookie;
} GoStage;

extern const PlHost *go_host;

GoStage *go_stage_new(uint64_t cookie);
int32_t go_port_bind(PlPort *port, uint64_t cookie);
void go_event(uint64_t cookie, uint32_t event, int32_t status, const char *text, size_t len);
void go_status(uint64_t cookie, const char *json, size_t len);

static inline PlPort *go_input(const PlOpen *open, uint32_t i) {
    return open->inputs[i];
}

static inline int32_t go_recv(PlPort *port, const PlBatch **out, uint32_t max) {
    return port->vt->recv(port, out, max);
}

static inline void go_done_and_release(const PlBatch *batch) {
    batch->vt->done(batch, 0, batch->n_msgs);
    batch->vt->release(batch);
}

#endif
