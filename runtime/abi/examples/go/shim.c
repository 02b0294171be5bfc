// The C half of the plugin: the entry, the vtables, and a step from each function pointer into Go.
#include "_cgo_export.h"

#include <stdlib.h>

const PlHost *go_host;

static int32_t start(PlStage *stage) {
    return goStart(((GoStage *)stage)->cookie);
}

static int32_t drain(PlStage *stage, uint32_t deadline_ms) {
    (void)deadline_ms;
    return goDrain(((GoStage *)stage)->cookie);
}

static int32_t close_stage(PlStage *stage, uint32_t timeout_ms) {
    const int32_t status = goClose(((GoStage *)stage)->cookie, timeout_ms);
    if (status == PL_OK) {
        free(stage);
    }
    return status;
}

static const PlStageVt stage_vt = {sizeof(PlStageVt), 0, start, drain, close_stage, NULL};

GoStage *go_stage_new(uint64_t cookie) {
    GoStage *self = malloc(sizeof *self);
    if (self != NULL) {
        self->stage.vt = &stage_vt;
        self->cookie = cookie;
    }
    return self;
}

// The context of a notify is the cookie itself, no pointer: a late one finds no instance and does nothing.
static void notify(void *cookie) {
    goNotify((uint64_t)(uintptr_t)cookie);
}

int32_t go_port_bind(PlPort *port, uint64_t cookie) {
    return port->vt->bind(port, notify, (void *)(uintptr_t)cookie);
}

void go_event(uint64_t cookie, uint32_t event, int32_t status, const char *text, size_t len) {
    go_host->event(go_host->ctx, cookie, event, status, (PlStr){(const uint8_t *)text, len});
}

void go_status(uint64_t cookie, const char *json, size_t len) {
    go_host->status(go_host->ctx, cookie, (PlStr){(const uint8_t *)json, len});
}

static int32_t describe(PlStr *out) {
    return goDescribe(out);
}

static int32_t validate(PlStr kind, PlStr config_json, PlText *findings) {
    (void)kind;
    return goValidate(config_json, findings);
}

static int32_t open_stage(const PlOpen *open, PlStage **out, PlText *error) {
    return goOpen((PlOpen *)open, out, error);
}

static const PlPlugin plugin = {
    .magic = PL_MAGIC,
    .struct_size = sizeof(PlPlugin),
    .abi_major = PL_ABI_MAJOR,
    .abi_minor = PL_ABI_MINOR,
    .describe = describe,
    .validate = validate,
    .open = open_stage,
};

const PlPlugin *pl_plugin_entry_v1(const PlHost *host) {
    go_host = host;
    return &plugin;
}
