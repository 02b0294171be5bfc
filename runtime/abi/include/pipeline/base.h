/* Borrowed bytes, status codes and the caller's text buffer.
 *
 * Rules of every function in these headers, where it does not say otherwise:
 *
 *   - Pointers that are passed in are borrowed for the call: copy what you keep. They are never null unless it says so.
 *   - No function lets a C++ exception, a panic or a longjmp pass through it. The caller need not survive one.
 *   - Each side frees what it made. Nothing is passed to the other side's free().
 *   - Unused fields named `reserved`, `flags` or `features` are zero; a reader ignores what it does not know.
 *   - A structure that begins with `struct_size` may be longer on the other side, never shorter than in version 1.0.
 *     Before reading a field that a later minor version appended, ask PL_HAS. */
#ifndef PIPELINE_BASE_H
#define PIPELINE_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes; UTF-8, without a terminating zero, wherever the documentation says text. Valid as long as each use says,
 * never longer. */
typedef struct PlStr {
    const uint8_t *ptr; /* may be null when len is 0 */
    size_t len;
} PlStr;

/* A buffer of the caller's that the callee fills with text (an error, a list of findings). */
typedef struct PlText {
    uint8_t *ptr; /* the caller's memory */
    size_t cap;   /* bytes that fit */
    size_t len;   /* set by the callee to the length of the whole text, which may be more than cap: then the first cap
                     bytes were written and the caller may call again with a larger buffer. 0 on entry. */
} PlText;

/* Status codes: 0 and above are answers, below 0 are failures. */
enum {
    PL_OK = 0,               /* the call did what it says */
    PL_AGAIN = 1,            /* nothing moved: no credit, or nothing to receive; the port is armed and will notify once */
    PL_ERR = -1,             /* the call failed; text says why */
    PL_ERR_PANIC = -2,       /* the callee panicked (or threw) and caught it */
    PL_ERR_INVALID = -3,     /* an argument or the settings are not acceptable */
    PL_ERR_UNSUPPORTED = -4, /* not offered by this plugin or host */
    PL_ERR_TIMEOUT = -5,     /* the time given was not enough */
    PL_CLOSED = -6           /* the other end of a port is gone for good */
};

/* Whether the maker of *object filled in `field`: to be asked before reading what a later minor version appended. */
#define PL_HAS(object, Type, field) ((object)->struct_size >= offsetof(Type, field) + sizeof((object)->field))

/* Borrows a zero-terminated text. */
static inline PlStr pl_str(const char *text) {
    PlStr s;
    s.ptr = (const uint8_t *)text;
    s.len = text != NULL ? strlen(text) : 0;
    return s;
}

/* Answers with a zero-terminated text: writes what fits and tells the whole length. `out` may be null. */
static inline void pl_text_set(PlText *out, const char *text) {
    if (out == NULL) {
        return;
    }
    const size_t len = strlen(text);
    const size_t fits = len < out->cap ? len : out->cap;
    if (fits > 0) {
        memcpy(out->ptr, text, fits);
    }
    out->len = len;
}

#ifdef __cplusplus
}
#endif

#endif
