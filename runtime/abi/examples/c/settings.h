/* Reads string settings. The host hands over valid JSON that passed the stage's schema, so that a flat object of strings needs
 * no more than this; a stage with richer settings takes a JSON library. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <pipeline/base.h>
#include <stdbool.h>
#include <stdlib.h>

/* The index behind the string literal that begins at json[i] (a quote). */
static inline size_t settings_skip(PlStr json, size_t i) {
    for (i++; i < json.len && json.ptr[i] != '"'; i++) {
        if (json.ptr[i] == '\\') {
            i++;
        }
    }
    return i < json.len ? i + 1 : json.len;
}

/* Copies the literal json[from..to] (quotes included) without its escapes; null for a \u escape, or without memory. */
static inline char *settings_copy(PlStr json, size_t from, size_t to) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char *text = (char *)malloc(to - from), *end = text;
    for (size_t i = from + 1; text != NULL && i + 1 < to; i++) {
        char c = (char)json.ptr[i];
        if (c == '\\') {
            const char *name = strchr(names, json.ptr[++i]);
            if (name == NULL) {
                free(text);
                return NULL;
            }
            c = values[name - names];
        }
        *end++ = c;
    }
    if (text != NULL) {
        *end = '\0';
    }
    return text;
}

/* Whether the setting `name` is there; *value is then its text, for free(), or null when it cannot be read. */
static inline bool settings_string(PlStr json, const char *name, char **value) {
    bool is_value = false, is_wanted = false;
    const size_t name_len = strlen(name);
    *value = NULL;
    for (size_t i = 0; i < json.len;) {
        if (json.ptr[i] != '"') {
            is_value = json.ptr[i] == ':' || (is_value && json.ptr[i] != ',');
            i++;
            continue;
        }
        const size_t end = settings_skip(json, i);
        if (is_value && is_wanted) {
            *value = settings_copy(json, i, end);
            return true;
        }
        is_wanted = !is_value && end - i == name_len + 2 && memcmp(json.ptr + i + 1, name, name_len) == 0;
        i = end;
    }
    return false;
}

#endif
