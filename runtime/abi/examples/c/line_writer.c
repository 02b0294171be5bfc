/* line-writer: a sink that appends each payload and a newline to a file, or to stderr. What cannot be written (a full disk) is
 * tried again, and nothing is lost or written twice meanwhile. One thread an instance. */
#define _POSIX_C_SOURCE 200809L
#include "settings.h"
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <pipeline/abi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { RECEIVE = 16 };

typedef struct Writer {
    PlStage stage; /* first, so that a PlStage * of ours is a Writer * */
    uint64_t cookie;
    int fd;
    uint32_t retry_initial_ms, retry_max_ms;
    PlPort **inputs;
    uint32_t n_inputs;
    Wake *wake;
    bool started, degraded;
    atomic_bool draining, closing;
    pthread_t thread;
    sem_t ended; /* posted by the thread, last */
    size_t buffered;
    char buffer[64 * 1024];
} Writer;

static const PlHost *host;

static void tell(const Writer *self, uint32_t event, int32_t status, const char *text) {
    host->event(host->ctx, self->cookie, event, status, pl_str(text));
}

/* Waits between two tries; a notify does not end it, `close` does. */
static void wait_for_retry(Writer *self, uint32_t milliseconds) {
    const struct timespec until = in_milliseconds(milliseconds);
    while (!self->closing && (sem_timedwait(&self->wake->semaphore, &until) == 0 || errno == EINTR)) {
    }
}

/* Writes all bytes, however often it takes; false when the stage closes before that. */
static bool write_all(Writer *self, const char *bytes, size_t len) {
    uint32_t wait_ms = self->retry_initial_ms;
    while (len > 0 && !self->closing) {
        const ssize_t written = write(self->fd, bytes, len);
        if (written >= 0) {
            bytes += written;
            len -= (size_t)written;
            wait_ms = self->retry_initial_ms;
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        tell(self, PL_EVENT_HEALTH, PL_HEALTH_DEGRADED, strerror(errno));
        self->degraded = true;
        wait_for_retry(self, wait_ms);
        wait_ms = wait_ms > self->retry_max_ms / 2 ? self->retry_max_ms : wait_ms * 2;
    }
    if (len == 0 && self->degraded) {
        self->degraded = false;
        tell(self, PL_EVENT_HEALTH, PL_HEALTH_READY, "");
    }
    return len == 0;
}

/* Writes what the buffer holds. */
static bool flush(Writer *self) {
    const size_t len = self->buffered;
    self->buffered = 0;
    return write_all(self, self->buffer, len);
}

static bool put(Writer *self, const uint8_t *bytes, size_t len) {
    while (len > 0) {
        if (self->buffered == sizeof self->buffer && !flush(self)) {
            return false;
        }
        const size_t room = sizeof self->buffer - self->buffered;
        const size_t fits = len < room ? len : room;
        memcpy(self->buffer + self->buffered, bytes, fits);
        self->buffered += fits;
        bytes += fits;
        len -= fits;
    }
    return true;
}

static bool put_batch(Writer *self, const PlBatch *batch) {
    for (uint32_t i = 0; i < batch->n_msgs; i++) {
        const PlMsg *msg = pl_msg(batch, i);
        if (!put(self, msg->payload, msg->payload_len) || !put(self, (const uint8_t *)"\n", 1)) {
            return false;
        }
    }
    return flush(self);
}

/* Writes what waits at one port; whether there was something. */
static bool receive(Writer *self, PlPort *port) {
    const PlBatch *batches[RECEIVE];
    const int32_t received = port->vt->recv(port, batches, RECEIVE);
    for (int32_t i = 0; i < received; i++) {
        if (put_batch(self, batches[i])) {
            batches[i]->vt->done(batches[i], 0, batches[i]->n_msgs);
        }
        batches[i]->vt->release(batches[i]);
    }
    return received > 0;
}

/* The thread of an instance: until it has drained or closes. */
static void *run(void *argument) {
    Writer *self = argument;
    while (!self->closing) {
        const bool draining = self->draining; /* read first: what came before it is in the ports */
        bool idle = true;
        for (uint32_t i = 0; i < self->n_inputs; i++) {
            idle = !receive(self, self->inputs[i]) && idle;
        }
        if (idle && draining) {
            tell(self, PL_EVENT_DRAINED, PL_OK, "");
            break;
        }
        if (idle) {
            sem_wait(&self->wake->semaphore);
        }
    }
    sem_post(&self->ended);
    return NULL;
}

static int32_t start(PlStage *stage) {
    Writer *self = (Writer *)stage;
    self->started = pthread_create(&self->thread, NULL, run, self) == 0;
    return self->started ? PL_OK : PL_ERR;
}

static int32_t drain(PlStage *stage, uint32_t deadline_ms) {
    Writer *self = (Writer *)stage;
    (void)deadline_ms;
    self->draining = true;
    notify(self->wake);
    return PL_OK;
}

static void free_writer(Writer *self) {
    give_wake(self->wake);
    if (self->fd > STDERR_FILENO) {
        close(self->fd);
    }
    sem_destroy(&self->ended);
    free(self->inputs);
    free(self);
}

static int32_t close_stage(PlStage *stage, uint32_t timeout_ms) {
    Writer *self = (Writer *)stage;
    if (self->started) {
        const struct timespec until = in_milliseconds(timeout_ms);
        self->closing = true;
        notify(self->wake);
        while (sem_timedwait(&self->ended, &until) != 0) {
            if (errno != EINTR) {
                return PL_ERR_TIMEOUT;
            }
        }
        pthread_join(self->thread, NULL);
    }
    free_writer(self);
    return PL_OK;
}

static const PlStageVt stage_vt = {sizeof(PlStageVt), 0, start, drain, close_stage, NULL};

static int32_t describe(PlStr *out) {
    *out = pl_str("{\"name\":\"line-writer\",\"version\":\"1.0.0\",\"stages\":[{\"kind\":\"line-writer\",\"role\":\"sink\","
                  "\"doc\":\"Appends each payload and a newline to a file, or to stderr.\",\"inputs\":{\"min\":1,\"max\":null},"
                  "\"config_schema\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"path\":{"
                  "\"type\":\"string\",\"minLength\":1,\"format\":\"path\","
                  "\"description\":\"File to append to; stderr without it.\"}}}}]}");
    return PL_OK;
}

static int32_t validate(PlStr kind, PlStr config_json, PlText *findings) {
    (void)kind;
    char *path;
    const bool unreadable = settings_string(config_json, "path", &path) && path == NULL;
    free(path);
    if (unreadable) {
        pl_text_set(findings, "[{\"pointer\":\"/path\",\"message\":\"expected a text without \\\\u escapes\"}]");
        return PL_ERR_INVALID;
    }
    return PL_OK;
}

/* Opens the file of the settings, or stderr; -1 with errno. */
static int open_file(PlStr config_json) {
    char *path;
    if (!settings_string(config_json, "path", &path)) {
        return STDERR_FILENO;
    }
    errno = EINVAL;
    const int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    free(path);
    return fd;
}

static int32_t fail_open(Writer *self, PlText *error, const char *what) {
    char text[256];
    snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    pl_text_set(error, text);
    if (self != NULL) {
        free_writer(self);
    }
    return PL_ERR;
}

static int32_t open_stage(const PlOpen *open, PlStage **out, PlText *error) {
    if (open->n_inputs == 0) {
        pl_text_set(error, "expected at least one input");
        return PL_ERR_INVALID;
    }
    Writer *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return fail_open(NULL, error, "make the instance");
    }
    self->stage.vt = &stage_vt;
    self->cookie = open->cookie;
    self->retry_initial_ms = open->retry_initial_ms;
    self->retry_max_ms = open->retry_max_ms;
    self->fd = -1;
    self->n_inputs = open->n_inputs;
    self->wake = take_wake();
    sem_init(&self->ended, 0, 0);
    self->inputs = calloc(open->n_inputs, sizeof *self->inputs);
    if (self->inputs == NULL || self->wake == NULL) {
        return fail_open(self, error, "make the instance");
    }
    self->fd = open_file(open->config_json);
    if (self->fd < 0) {
        return fail_open(self, error, "open `path`");
    }
    for (uint32_t i = 0; i < open->n_inputs; i++) {
        self->inputs[i] = open->inputs[i];
        open->inputs[i]->vt->bind(open->inputs[i], notify, self->wake);
    }
    *out = &self->stage;
    tell(self, PL_EVENT_OPENED, PL_OK, "");
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
