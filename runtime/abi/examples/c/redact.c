/* redact: a filter that covers the value of one JSON string field with stars, at any depth. A payload that ends inside a
 * string is rejected. Key, headers, trace and position stay. */
#include "settings.h"

#include <pipeline/abi.h>
#include <stdatomic.h>

typedef struct Redact {
    PlStage stage; /* first, so that a PlStage * of ours is a Redact * */
    uint64_t cookie;
    char *field;
    PlReject rejects[PL_BATCH_MAX];
} Redact;

/* An output batch with all that it owns, in one allocation: batch, messages, origins, payload bytes. */
typedef struct Output {
    PlBatch batch;
    atomic_uint references;
    uint32_t *origin;
    uint8_t *bytes;
    PlMsg msgs[];
} Output;

static const PlHost *host;

static void retain(const PlBatch *batch) {
    atomic_fetch_add_explicit(&((Output *)batch)->references, 1, memory_order_relaxed);
}

static void release(const PlBatch *batch) {
    if (atomic_fetch_sub_explicit(&((Output *)batch)->references, 1, memory_order_acq_rel) == 1) {
        free((void *)batch);
    }
}

/* The host settles a filter's output by the input's functions, so these are never called; they may not be null. */
static void done(const PlBatch *batch, uint32_t first, uint32_t count) {
    (void)batch, (void)first, (void)count;
}
static void reject(const PlBatch *batch, uint32_t first, uint32_t count, PlStr why) {
    (void)batch, (void)first, (void)count, (void)why;
}
static const PlBatchVt batch_vt = {sizeof(PlBatchVt), 0, retain, release, done, reject};

/* Makes an empty batch with room for what `input` holds. */
static Output *new_output(const PlBatch *input) {
    size_t payloads = 0;
    for (uint32_t i = 0; i < input->n_msgs; i++) {
        payloads += pl_msg(input, i)->payload_len;
    }
    Output *out = malloc(sizeof *out + input->n_msgs * (sizeof(PlMsg) + sizeof(uint32_t)) + payloads);
    if (out != NULL) {
        out->batch = (PlBatch){.struct_size = sizeof(PlBatch), .msg_stride = sizeof(PlMsg), .topic = input->topic,
                               .msgs = out->msgs, .vt = &batch_vt, .made_ns = input->made_ns};
        atomic_init(&out->references, 1);
        out->origin = (uint32_t *)&out->msgs[input->n_msgs];
        out->bytes = (uint8_t *)&out->origin[input->n_msgs];
    }
    return out;
}

/* The index of the closing quote of the string that opens at json[i], or len. */
static size_t string_end(const uint8_t *json, size_t len, size_t i) {
    for (i++; i < len && json[i] != '"'; i++) {
        i += json[i] == '\\';
    }
    return i < len ? i : len;
}

static size_t skip_spaces(const uint8_t *json, size_t len, size_t i) {
    while (i < len && (json[i] == ' ' || json[i] == '\t' || json[i] == '\n' || json[i] == '\r')) {
        i++;
    }
    return i;
}

/* Covers the field's values; false when the text ends inside a string. */
static bool cover(uint8_t *json, size_t len, const char *field) {
    const size_t field_len = strlen(field);
    for (size_t i = 0; i < len; i++) {
        if (json[i] != '"') {
            continue;
        }
        const size_t end = string_end(json, len, i);
        if (end == len) {
            return false;
        }
        const bool wanted = end - i - 1 == field_len && memcmp(json + i + 1, field, field_len) == 0;
        i = end;
        const size_t colon = skip_spaces(json, len, end + 1);
        if (!wanted || colon >= len || json[colon] != ':') {
            continue;
        }
        const size_t value = skip_spaces(json, len, colon + 1);
        if (value < len && json[value] == '"') {
            i = string_end(json, len, value);
            if (i == len) {
                return false;
            }
            memset(json + value + 1, '*', i - value - 1);
        }
    }
    return true;
}

static int32_t process(PlStage *stage, const PlBatch *input, PlFiltered *filtered) {
    Redact *self = (Redact *)stage;
    Output *out = new_output(input);
    if (out == NULL) {
        return PL_ERR;
    }
    uint8_t *bytes = out->bytes;
    for (uint32_t i = 0; i < input->n_msgs; i++) {
        const PlMsg *in = pl_msg(input, i);
        if (in->payload_len > 0) {
            memcpy(bytes, in->payload, in->payload_len);
        }
        if (!cover(bytes, in->payload_len, self->field)) {
            self->rejects[filtered->n_rejects++] = (PlReject){i, 0, pl_str("payload ends inside a string")};
            continue;
        }
        PlMsg *msg = &out->msgs[out->batch.n_msgs];
        *msg = *in; /* key, headers and trace may go on pointing into the input */
        msg->payload = bytes;
        bytes += in->payload_len;
        out->batch.bytes += (uint64_t)in->payload_len + in->key_len;
        out->origin[out->batch.n_msgs++] = i;
    }
    filtered->rejects = self->rejects;
    if (out->batch.n_msgs == 0) {
        free(out);
        return PL_OK;
    }
    filtered->batch = &out->batch;
    filtered->origin = out->origin;
    return PL_OK;
}

static int32_t start(PlStage *stage) {
    (void)stage;
    return PL_OK;
}

/* A filter holds nothing between two calls, so it has always drained. */
static int32_t drain(PlStage *stage, uint32_t deadline_ms) {
    (void)deadline_ms;
    host->event(host->ctx, ((Redact *)stage)->cookie, PL_EVENT_DRAINED, PL_OK, pl_str(""));
    return PL_OK;
}

static int32_t close_stage(PlStage *stage, uint32_t timeout_ms) {
    (void)timeout_ms;
    free(((Redact *)stage)->field);
    free(stage);
    return PL_OK;
}

static const PlStageVt stage_vt = {sizeof(PlStageVt), 0, start, drain, close_stage, process};

static int32_t describe(PlStr *out) {
    *out = pl_str("{\"name\":\"redact\",\"version\":\"1.0.0\",\"stages\":[{\"kind\":\"redact\",\"role\":\"filter\","
                  "\"doc\":\"Covers the value of one JSON string field with stars, at any depth.\",\"inputs\":{\"min\":1,\"max\":null},\"config_schema\":{"
                  "\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"field\"],\"properties\":{\"field\":{"
                  "\"type\":\"string\",\"minLength\":1,\"description\":\"Name of the field.\"}}}}]}");
    return PL_OK;
}

static int32_t validate(PlStr kind, PlStr config_json, PlText *findings) {
    (void)kind;
    char *field;
    const bool readable = settings_string(config_json, "field", &field) && field != NULL;
    free(field);
    if (!readable) {
        pl_text_set(findings, "[{\"pointer\":\"/field\",\"message\":\"expected a text without \\\\u escapes\"}]");
        return PL_ERR_INVALID;
    }
    return PL_OK;
}

static int32_t open_stage(const PlOpen *open, PlStage **out, PlText *error) {
    Redact *self = calloc(1, sizeof *self);
    if (self == NULL || !settings_string(open->config_json, "field", &self->field) || self->field == NULL) {
        free(self);
        pl_text_set(error, "cannot read `field`, or out of memory");
        return PL_ERR;
    }
    self->stage.vt = &stage_vt;
    self->cookie = open->cookie;
    *out = &self->stage;
    host->event(host->ctx, self->cookie, PL_EVENT_OPENED, PL_OK, pl_str(""));
    return PL_OK;
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

const PlPlugin *pl_plugin_entry_v1(const PlHost *the_host) {
    host = the_host;
    return &plugin;
}
