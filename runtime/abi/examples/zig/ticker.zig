//! ticker: a source that sends a numbered message at an interval, for ever or `count` times. One thread an instance.
//!
//! A batch is one allocation that frees itself on its last release, perhaps after the instance is gone: so it points to
//! nothing of the instance.

const std = @import("std");
const c = @import("c.zig");

const allocator = std.heap.c_allocator;
const Flag = std.atomic.Value(bool);

var host: *const c.PlHost = undefined;

fn str(text: []const u8) c.PlStr {
    return .{ .ptr = text.ptr, .len = text.len };
}

fn answer(out: [*c]c.PlText, text: []const u8) void {
    if (out == null) return;
    const fits = @min(text.len, out.*.cap);
    if (fits > 0) @memcpy(out.*.ptr[0..fits], text[0..fits]);
    out.*.len = text.len;
}

/// Nanoseconds since the Unix epoch.
fn now() i64 {
    var at: c.struct_timespec = undefined;
    _ = c.clock_gettime(c.CLOCK_REALTIME, &at);
    return at.tv_sec * std.time.ns_per_s + at.tv_nsec;
}

/// What wakes a thread. It outlives the instance that took it, for late notifies, and serves the next one.
const Wake = struct {
    semaphore: c.sem_t,
    next: ?*Wake,

    var lock: c.pthread_mutex_t = std.mem.zeroes(c.pthread_mutex_t);
    var free: ?*Wake = null;

    fn take() !*Wake {
        _ = c.pthread_mutex_lock(&lock);
        defer _ = c.pthread_mutex_unlock(&lock);
        if (free) |wake| {
            free = wake.next;
            // What woke the instance before is nothing to the next one.
            while (c.sem_trywait(&wake.semaphore) == 0) {}
            return wake;
        }
        const wake = try allocator.create(Wake);
        _ = c.sem_init(&wake.semaphore, 0, 0);
        return wake;
    }

    fn give(wake: *Wake) void {
        _ = c.pthread_mutex_lock(&lock);
        defer _ = c.pthread_mutex_unlock(&lock);
        wake.next = free;
        free = wake;
    }

    fn post(wake: *Wake) void {
        _ = c.sem_post(&wake.semaphore);
    }

    /// Until posted or `until`.
    fn wait(wake: *Wake, until: i64) void {
        const at: c.struct_timespec = .{
            .tv_sec = @divFloor(until, std.time.ns_per_s),
            .tv_nsec = @mod(until, std.time.ns_per_s),
        };
        _ = c.sem_timedwait(&wake.semaphore, &at);
    }

    fn notify(context: ?*anyopaque) callconv(.c) void {
        const wake: *Wake = @ptrCast(@alignCast(context.?));
        wake.post();
    }
};

/// A batch of one message with all that it owns.
const Tick = struct {
    batch: c.PlBatch,
    message: c.PlMsg,
    references: std.atomic.Value(u32),
    text: [64]u8,

    const vt: c.PlBatchVt = .{
        .struct_size = @sizeOf(c.PlBatchVt),
        .retain = retain,
        .release = release,
        .done = done,
        .reject = reject,
    };

    fn make(number: u64) !*Tick {
        const tick = try allocator.create(Tick);
        const at = now();
        tick.references = .init(1);
        const payload = std.fmt.bufPrint(&tick.text, "{{\"tick\":{d}}}", .{number}) catch unreachable;
        tick.message = .{ .payload = payload.ptr, .payload_len = @intCast(payload.len), .ts_ns = at };
        tick.batch = .{
            .struct_size = @sizeOf(c.PlBatch),
            .msg_stride = @sizeOf(c.PlMsg),
            .n_msgs = 1,
            .msgs = &tick.message,
            .vt = &vt,
            .bytes = payload.len,
            .made_ns = at,
        };
        return tick;
    }

    fn of(batch: [*c]const c.PlBatch) *Tick {
        const held: *const c.PlBatch = batch;
        return @alignCast(@constCast(@fieldParentPtr("batch", held)));
    }

    fn retain(batch: [*c]const c.PlBatch) callconv(.c) void {
        _ = of(batch).references.fetchAdd(1, .monotonic);
    }

    fn release(batch: [*c]const c.PlBatch) callconv(.c) void {
        if (of(batch).references.fetchSub(1, .acq_rel) == 1) allocator.destroy(of(batch));
    }

    // A source that cannot deliver again has nothing to remember, so it ignores who was delivered.
    fn done(_: [*c]const c.PlBatch, _: u32, _: u32) callconv(.c) void {}
    fn reject(_: [*c]const c.PlBatch, _: u32, _: u32, _: c.PlStr) callconv(.c) void {}
};

const Settings = struct {
    every_ms: u32 = 1000,
    count: ?u64 = null,
};

fn parse(text: c.PlStr) !Settings {
    const parsed = try std.json.parseFromSlice(Settings, allocator, text.ptr[0..text.len], .{});
    defer parsed.deinit(); // `Settings` owns no memory of its own
    return parsed.value;
}

/// One instance.
const Ticker = struct {
    stage: c.PlStage,
    cookie: u64,
    settings: Settings,
    output: [*c]c.PlPort,
    wake: *Wake,
    thread: ?c.pthread_t = null,
    draining: Flag = .init(false),
    closing: Flag = .init(false),

    const vt: c.PlStageVt = .{
        .struct_size = @sizeOf(c.PlStageVt),
        .start = start,
        .drain = drain,
        .close = close,
    };

    fn of(stage: [*c]c.PlStage) *Ticker {
        const held: *c.PlStage = stage;
        return @alignCast(@fieldParentPtr("stage", held));
    }

    fn tell(self: *Ticker, event: c_int, status: i32, text: []const u8) void {
        host.event.?(host.ctx, self.cookie, @intCast(event), status, str(text));
    }

    fn ending(self: *Ticker) bool {
        return self.draining.load(.acquire) or self.closing.load(.acquire);
    }

    /// Hands one tick on, waiting for credit; gives it back when the stage ends first.
    fn send(self: *Ticker, number: u64) !void {
        const tick = try Tick.make(number);
        while (!self.ending()) {
            switch (self.output.*.vt.*.send.?(self.output, &tick.batch)) {
                c.PL_OK => return,
                c.PL_AGAIN => self.wake.wait(now() + std.time.ns_per_s),
                else => break,
            }
        }
        Tick.release(&tick.batch);
    }

    fn run(context: ?*anyopaque) callconv(.c) ?*anyopaque {
        const self: *Ticker = @ptrCast(@alignCast(context.?));
        var number: u64 = 0;
        var next = now();
        while (!self.ending() and number < self.settings.count orelse std.math.maxInt(u64)) : (number += 1) {
            self.send(number) catch {
                self.tell(c.PL_EVENT_FAILED, c.PL_ERR, "out of memory");
                return null;
            };
            next += @as(i64, self.settings.every_ms) * std.time.ns_per_ms;
            while (now() < next and !self.ending()) self.wake.wait(next);
        }
        if (!self.ending()) self.tell(c.PL_EVENT_FINISHED, c.PL_OK, "");
        while (!self.ending()) self.wake.wait(now() + std.time.ns_per_s);
        if (!self.closing.load(.acquire)) self.tell(c.PL_EVENT_DRAINED, c.PL_OK, "");
        return null;
    }

    fn start(stage: [*c]c.PlStage) callconv(.c) i32 {
        const self = of(stage);
        var thread: c.pthread_t = undefined;
        if (c.pthread_create(&thread, null, run, self) != 0) return c.PL_ERR;
        self.thread = thread;
        return c.PL_OK;
    }

    fn drain(stage: [*c]c.PlStage, _: u32) callconv(.c) i32 {
        of(stage).draining.store(true, .release);
        of(stage).wake.post();
        return c.PL_OK;
    }

    /// The thread waits for nothing but its semaphore, so that joining it cannot take long.
    fn close(stage: [*c]c.PlStage, _: u32) callconv(.c) i32 {
        const self = of(stage);
        self.closing.store(true, .release);
        self.wake.post();
        if (self.thread) |thread| _ = c.pthread_join(thread, null);
        self.wake.give();
        allocator.destroy(self);
        return c.PL_OK;
    }
};

fn describe(out: [*c]c.PlStr) callconv(.c) i32 {
    out.* = str(
        \\{"name":"ticker","version":"1.0.0","stages":[{"kind":"ticker","role":"source",
        \\"doc":"Sends a numbered message at an interval.","inputs":{"min":0,"max":0},"config_schema":{"type":"object",
        \\"additionalProperties":false,"properties":{
        \\"every_ms":{"type":"integer","minimum":1,"maximum":86400000,"default":1000,"description":"Time between two messages."},
        \\"count":{"type":["integer","null"],"minimum":1,"description":"How many; without it, for ever."}}}}]}
    );
    return c.PL_OK;
}

fn validate(_: c.PlStr, config: c.PlStr, findings: [*c]c.PlText) callconv(.c) i32 {
    _ = parse(config) catch {
        answer(findings, "[{\"pointer\":\"\",\"message\":\"expected `every_ms` and `count`\"}]");
        return c.PL_ERR_INVALID;
    };
    return c.PL_OK;
}

fn open(options: [*c]const c.PlOpen, out: [*c][*c]c.PlStage, failure: [*c]c.PlText) callconv(.c) i32 {
    const self = make(options) catch |problem| {
        answer(failure, @errorName(problem));
        return c.PL_ERR;
    };
    out.* = &self.stage;
    self.tell(c.PL_EVENT_OPENED, c.PL_OK, "");
    return c.PL_OK;
}

fn make(options: [*c]const c.PlOpen) !*Ticker {
    if (options.*.n_outputs != 1) return error.ExpectedOneOutput;
    const settings = try parse(options.*.config_json);
    const self = try allocator.create(Ticker);
    errdefer allocator.destroy(self);
    self.* = .{
        .stage = .{ .vt = &Ticker.vt },
        .cookie = options.*.cookie,
        .settings = settings,
        .output = options.*.outputs[0],
        .wake = try Wake.take(),
    };
    _ = self.output.*.vt.*.bind.?(self.output, Wake.notify, self.wake);
    return self;
}

const plugin: c.PlPlugin = .{
    .magic = c.PL_MAGIC,
    .struct_size = @sizeOf(c.PlPlugin),
    .abi_major = c.PL_ABI_MAJOR,
    .abi_minor = c.PL_ABI_MINOR,
    .describe = describe,
    .validate = validate,
    .open = open,
};

export fn pl_plugin_entry_v1(the_host: *const c.PlHost) *const c.PlPlugin {
    host = the_host;
    return &plugin;
}
