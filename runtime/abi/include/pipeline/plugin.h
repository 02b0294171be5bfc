/* The plugin: the one exported symbol and what it leads to.
 *
 * A plugin is a shared object. The kind `kafka-sink` is looked for in `libstage_kafka_sink.so`; one object may describe
 * several kinds. The host loads it once (RTLD_NOW | RTLD_LOCAL), calls the entry once, and never unloads it. */
#ifndef PIPELINE_PLUGIN_H
#define PIPELINE_PLUGIN_H

#include "host.h"
#include "stage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this ABI. The major is part of the entry symbol's name: a plugin of another major is not found. Within a major,
 * structures only grow at their end, and the effective minor is the lower of the two sides. */
#define PL_ABI_MAJOR 1
#define PL_ABI_MINOR 0

/* First word of every plugin description: "PLIN" in memory order. */
#define PL_MAGIC 0x4E494C50u

/* A plugin. Static: valid and unchanged until the process ends. Its functions may be called on any thread and at the same
 * time, before any instance exists and while others run; each returns promptly. None may be null. */
typedef struct PlPlugin {
    uint32_t magic;          /* PL_MAGIC */
    uint32_t struct_size;    /* sizeof(PlPlugin) of the plugin */
    uint16_t abi_major;      /* PL_ABI_MAJOR that the plugin was built with */
    uint16_t abi_minor;      /* PL_ABI_MINOR that the plugin was built with */
    uint16_t min_host_minor; /* lowest minor version of a host that the plugin works with */
    uint16_t reserved;       /* zero */
    uint64_t features;       /* zero */

    /* Describes the stages of this plugin as JSON text that stays valid until the process ends:
     *
     *   {"name": "…", "version": "…", "stages": [{
     *       "kind": "kafka-sink",               the word of `use:`
     *       "role": "source" | "filter" | "sink",
     *       "doc": "…",                         Markdown
     *       "inputs": {"min": 1, "max": null},  null: any number; {"min": 0, "max": 0} for a source
     *       "replayable": false,                optional; a source that delivers again what was not done
     *       "config_schema": {…}}]}             JSON Schema 2020-12 of the settings
     *
     * Called once, first. Answers PL_OK, or a failure, by which the plugin is refused. */
    int32_t (*describe)(PlStr *out);

    /* Says what a schema cannot, about settings that passed the schema. `kind` and `config_json` are text. Opens nothing and
     * connects to nobody. Answers PL_OK; PL_ERR_INVALID with a JSON array of {"pointer": "/url", "message": "expected …"} in
     * `findings`, the pointer being a JSON pointer into the settings; PL_ERR_UNSUPPORTED for a kind that it does not have.
     * With a `findings` that was too small it is called again. */
    int32_t (*validate)(PlStr kind, PlStr config_json, PlText *findings);

    /* Makes an instance. Returns promptly with PL_OK and the instance in `out`; connecting and the like goes on in the
     * instance's own thread, which answers with PL_EVENT_OPENED or PL_EVENT_FAILED, perhaps before this returns. Or answers
     * a failure with text in `error`: then `out` is not looked at, nothing is left behind, and no event follows.
     * Any number of instances may be open at once; the host calls `close` once for each that was made. */
    int32_t (*open)(const PlOpen *open, PlStage **out, PlText *error);
} PlPlugin;

/* Name of the one exported symbol. */
#define PL_ENTRY_SYMBOL "pl_plugin_entry_v1"

/* Type of the entry. Called once a process, before anything else. Keeps `host`, makes nothing else: no thread, no file.
 * Answers null when the plugin refuses this host. */
typedef const PlPlugin *(*PlEntry)(const PlHost *host);

/* Written before the definition of the entry, so that it is exported even with -fvisibility=hidden. */
#if defined(__GNUC__)
#define PL_EXPORT __attribute__((visibility("default")))
#else
#define PL_EXPORT
#endif

/* The entry, which every plugin defines. */
PL_EXPORT const PlPlugin *pl_plugin_entry_v1(const PlHost *host);

#ifdef __cplusplus
}
#endif

#endif
