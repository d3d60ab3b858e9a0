/*
 * The open loop's generator: `open_loop.py` in C, for about half of its processor time.
 *
 *     open_loop HOST PORT CONNECTIONS DEADLINE_S LAST_ANSWER_S BLOCK BODY TIMES ANSWERS
 *
 * Sends a copy of one gRPC request over HTTP/2 (RFC 9113) at each of the times, to a numeric HOST,
 * the connections in turns. DEADLINE_S is when a caller gives up; 0: never. LAST_ANSWER_S is how
 * long answers are waited for after the last request. BLOCK is a file with the request's header block,
 * BODY one with its message, TIMES one of doubles: seconds from the start, ascending. ANSWERS is
 * written: for each request two doubles, when it left and when it ended (infinite: it did not), and
 * one for its gRPC status (-1: none).
 *
 * It knows of HTTP/2 what a caller of these servers needs. What it does not understand ends it, with
 * the reason.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 0x1, ACK = 0x1, END_HEADERS = 0x4, PADDED = 0x8, PRIORITISED = 0x20 };
enum { HEADER_TABLE_SIZE = 1, ENABLE_PUSH = 2, INITIAL_WINDOW_SIZE = 4 };
enum { CANCEL = 0x8 };
enum { CANCELLED = 1, UNKNOWN = 2, DEADLINE_EXCEEDED = 4, UNAVAILABLE = 14, OPEN = -1 };

#define HEAD_BYTES 9
#define MAX_FRAME_BYTES 16384
#define DEFAULT_WINDOW 65535
#define MAX_WINDOW 0x7fffffff
#define READ_BYTES (1 << 18)
#define SETTLE_S 0.1

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
static const char STATUS_NAME[] = "\x0bgrpc-status";

/* What grows at its end and is taken from its start. */
typedef struct {
    uint8_t *bytes;
    size_t start, end, room;
} Buffer;

/* One request; its stream on its connection follows from its number. */
typedef struct {
    double intended, sent, ended;
    int status;
    size_t offset; /* of the body that has left */
    int64_t window;
} Call;

typedef struct {
    int socket;
    Buffer in, out;
    size_t started;      /* calls */
    size_t first_unsent; /* the oldest one, among these, whose body has not left whole */
    int64_t window, initial_window;
} Line;

static Call *calls;
static Line *lines;
static size_t count, line_count, open_calls;
static uint8_t *block, *body;
static size_t block_bytes, body_bytes;
static double zero;

static void fail(const char *what) {
    fprintf(stderr, "open_loop: %s\n", what);
    exit(1);
}

static void fail_by_system(const char *what) {
    fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *checked(void *memory) {
    if (!memory) fail("out of memory");
    return memory;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9 - zero;
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail_by_system(path);
    *size = ftell(file);
    rewind(file);
    uint8_t *bytes = checked(malloc(*size + 1));
    if (fread(bytes, 1, *size, file) != *size) fail_by_system(path);
    fclose(file);
    return bytes;
}

/* Room for so many more bytes. */
static uint8_t *reserve(Buffer *buffer, size_t more) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->end + more > buffer->room) {
        size_t held = buffer->end - buffer->start;
        memmove(buffer->bytes, buffer->bytes + buffer->start, held);
        buffer->start = 0;
        buffer->end = held;
        if (held + more > buffer->room) {
            buffer->room = 2 * (held + more);
            buffer->bytes = checked(realloc(buffer->bytes, buffer->room));
        }
    }
    return buffer->bytes + buffer->end;
}

static void put(Buffer *buffer, const void *bytes, size_t size) {
    if (size) memcpy(reserve(buffer, size), bytes, size);
    buffer->end += size;
}

static void put32(uint8_t *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, 4);
}

static uint32_t get32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return ntohl(value);
}

static void put_frame(Line *line, int kind, int flags, uint32_t stream, const void *payload, size_t size) {
    uint8_t head[HEAD_BYTES] = {size >> 16, size >> 8, size, kind, flags};
    put32(head + 5, stream);
    put(&line->out, head, HEAD_BYTES);
    put(&line->out, payload, size);
}

static void put_number(Line *line, int kind, uint32_t stream, uint32_t number) {
    uint8_t payload[4];
    put32(payload, number);
    put_frame(line, kind, 0, stream, payload, 4);
}

static void write_line(Line *line) {
    Buffer *out = &line->out;
    while (out->start < out->end) {
        ssize_t sent = send(line->socket, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            /* That the peer has gone is told by what is read. */
            if (errno != EAGAIN) out->start = out->end;
            return;
        }
        out->start += sent;
    }
}

static Line open_line(const char *host, const char *port) {
    Line line = {.window = DEFAULT_WINDOW, .initial_window = DEFAULT_WINDOW};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("the host must be an IPv4 address");
    line.socket = socket(AF_INET, SOCK_STREAM, 0);
    if (line.socket < 0 || connect(line.socket, (struct sockaddr *)&address, sizeof address))
        fail_by_system("cannot connect");
    int yes = 1;
    setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(line.socket, F_SETFL, O_NONBLOCK);
    put(&line.out, PREFACE, sizeof PREFACE - 1);
    /* No header table, so that each block stands for itself, and windows that need no renewal. */
    uint8_t settings[18] = {0, HEADER_TABLE_SIZE, 0, 0, 0, 0, 0, ENABLE_PUSH, 0, 0, 0, 0, 0, INITIAL_WINDOW_SIZE};
    put32(settings + 14, MAX_WINDOW);
    put_frame(&line, SETTINGS, 0, 0, settings, sizeof settings);
    put_number(&line, WINDOW_UPDATE, 0, MAX_WINDOW - DEFAULT_WINDOW);
    return line;
}

/* The n-th call of a line has the stream 2 n + 1; the lines take calls in turns. */
static Call *call_of(const Line *line, uint32_t stream) {
    size_t nth = stream >> 1;
    if (!(stream & 1) || nth >= line->started) return NULL;
    return calls + nth * line_count + (line - lines);
}

static void end_call(Call *call, int status) {
    if (!call || call->ended != INFINITY) return;
    call->ended = seconds();
    call->status = status;
    open_calls--;
}

/* Moves bodies to the socket's queue, oldest first, as far as the windows allow. */
static void fill(Line *line) {
    int held_back = 0;
    for (size_t nth = line->first_unsent; nth < line->started && line->window > 0; nth++) {
        uint32_t stream = 2 * nth + 1;
        Call *call = call_of(line, stream);
        while (call->ended == INFINITY && call->offset < body_bytes) {
            int64_t size = body_bytes - call->offset;
            if (size > MAX_FRAME_BYTES) size = MAX_FRAME_BYTES;
            if (size > line->window) size = line->window;
            if (size > call->window) size = call->window;
            if (size <= 0) break;
            int flags = call->offset + size == body_bytes ? END_STREAM : 0;
            put_frame(line, DATA, flags, stream, body + call->offset, size);
            call->offset += size;
            call->window -= size;
            line->window -= size;
        }
        held_back |= call->ended == INFINITY && call->offset < body_bytes;
        if (!held_back) line->first_unsent = nth + 1;
    }
}

static void start_call(size_t number) {
    Line *line = lines + number % line_count;
    Call *call = calls + number;
    call->sent = seconds();
    call->window = line->initial_window;
    put_frame(line, HEADERS, END_HEADERS, 2 * line->started + 1, block, block_bytes);
    line->started++;
    open_calls++;
    if (line->socket < 0) {
        end_call(call, UNAVAILABLE);
        return;
    }
    fill(line);
    write_line(line);
}

static void give_up(size_t number) {
    Call *call = calls + number;
    if (call->ended != INFINITY) return;
    Line *line = lines + number % line_count;
    put_number(line, RST_STREAM, 2 * (number / line_count) + 1, CANCEL);
    write_line(line);
    end_call(call, DEADLINE_EXCEEDED);
}

/* The status as it stands in a block that is neither compressed nor indexed (RFC 7541, 5.2, 6.2). */
static int status_of(const uint8_t *bytes, size_t size) {
    const size_t name = sizeof STATUS_NAME - 1;
    const uint8_t *found = memmem(bytes, size, STATUS_NAME, name);
    if (!found || found + name + 1 >= bytes + size) fail("an answer's trailers cannot be read");
    found += name;
    if (found[0] == 1) return found[1] - '0';
    if (found[0] == 2 && found + 2 < bytes + size) return 10 * (found[1] - '0') + found[2] - '0';
    fail("an answer's status cannot be read");
    return UNKNOWN;
}

static void take_settings(Line *line, const uint8_t *payload, size_t size) {
    for (size_t at = 0; at + 6 <= size; at += 6) {
        if (payload[at] || payload[at + 1] != INITIAL_WINDOW_SIZE) continue;
        int64_t window = get32(payload + at + 2);
        for (size_t nth = line->first_unsent; nth < line->started; nth++)
            call_of(line, 2 * nth + 1)->window += window - line->initial_window;
        line->initial_window = window;
    }
    put_frame(line, SETTINGS, ACK, 0, NULL, 0);
}

static void take_frame(Line *line, int kind, int flags, uint32_t stream, const uint8_t *payload, size_t size) {
    int last = flags & END_STREAM;
    Call *call = call_of(line, stream);
    switch (kind) {
    case HEADERS:
        if (flags & (PADDED | PRIORITISED)) fail("padded or prioritised headers are not understood");
        if (!(flags & END_HEADERS)) fail("headers in parts are not understood");
        if (last) end_call(call, status_of(payload, size));
        break;
    case DATA:
        if (last) end_call(call, UNKNOWN);
        break;
    case RST_STREAM:
        end_call(call, CANCELLED);
        break;
    case WINDOW_UPDATE:
        if (size != 4) fail("a window's frame has another size");
        if (!stream) line->window += get32(payload);
        else if (call) call->window += get32(payload);
        break;
    case SETTINGS:
        if (!(flags & ACK)) take_settings(line, payload, size);
        break;
    case PING:
        if (!(flags & ACK)) put_frame(line, PING, ACK, 0, payload, size);
        break;
    case GOAWAY:
        fail("the peer wants no more requests");
        break;
    case CONTINUATION:
        fail("headers in parts are not understood");
        break;
    default:
        break;
    }
}

static void read_line(Line *line) {
    Buffer *in = &line->in;
    uint8_t *room = reserve(in, READ_BYTES);
    ssize_t got = recv(line->socket, room, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        for (size_t nth = 0; nth < line->started; nth++) end_call(call_of(line, 2 * nth + 1), UNAVAILABLE);
        close(line->socket);
        line->socket = -1; /* poll passes it over */
        line->out.start = line->out.end;
        return;
    }
    in->end += got;
    while (in->end - in->start >= HEAD_BYTES) {
        const uint8_t *head = in->bytes + in->start;
        size_t size = (size_t)head[0] << 16 | head[1] << 8 | head[2];
        if (in->end - in->start < HEAD_BYTES + size) break;
        take_frame(line, head[3], head[4], get32(head + 5) & MAX_WINDOW, head + HEAD_BYTES, size);
        in->start += HEAD_BYTES + size;
    }
    fill(line);
    write_line(line);
}

static void wait_until(double until) {
    struct pollfd polled[line_count];
    for (size_t i = 0; i < line_count; i++) {
        int writes = lines[i].out.start < lines[i].out.end;
        polled[i] = (struct pollfd){.fd = lines[i].socket, .events = POLLIN | (writes ? POLLOUT : 0)};
    }
    double left = fmax(0, until - seconds());
    struct timespec timeout = {.tv_sec = left, .tv_nsec = (left - (time_t)left) * 1e9};
    if (ppoll(polled, line_count, &timeout, NULL) < 0 && errno != EINTR) fail_by_system("cannot wait");
    for (size_t i = 0; i < line_count; i++) {
        if (polled[i].revents & POLLOUT) write_line(lines + i);
        if (polled[i].revents & ~POLLOUT) read_line(lines + i);
    }
}

int main(int argc, char **argv) {
    if (argc != 10) fail("HOST PORT CONNECTIONS DEADLINE_S LAST_ANSWER_S BLOCK BODY TIMES ANSWERS");
    double deadline_s = atof(argv[4]), last_answer_s = atof(argv[5]);
    size_t times_bytes;
    line_count = atoi(argv[3]);
    if (!line_count) fail("CONNECTIONS must be at least 1");
    block = read_file(argv[6], &block_bytes);
    body = read_file(argv[7], &body_bytes);
    double *times = (double *)read_file(argv[8], &times_bytes);
    count = times_bytes / sizeof *times;
    calls = checked(calloc(count + 1, sizeof *calls));
    for (size_t i = 0; i < count; i++)
        calls[i] = (Call){.intended = times[i], .ended = INFINITY, .status = OPEN};
    lines = checked(calloc(line_count, sizeof *lines));
    for (size_t i = 0; i < line_count; i++) lines[i] = open_line(argv[1], argv[2]);

    /* Settings are exchanged before the clock starts. */
    zero = seconds();
    while (seconds() < SETTLE_S) wait_until(SETTLE_S);
    zero += seconds();

    size_t next = 0, oldest = 0; /* to send; that may have to be given up */
    double patience = (count ? calls[count - 1].intended : 0) + last_answer_s;
    while ((next < count || open_calls) && seconds() < patience) {
        while (next < count && calls[next].intended <= seconds()) start_call(next++);
        if (deadline_s)
            while (oldest < next && calls[oldest].intended + deadline_s <= seconds()) give_up(oldest++);
        if (next == count && !open_calls) break;
        double until = next < count ? calls[next].intended : patience;
        if (deadline_s && oldest < next) until = fmin(until, calls[oldest].intended + deadline_s);
        wait_until(until);
    }

    FILE *answers = fopen(argv[9], "wb");
    if (!answers) fail_by_system(argv[9]);
    for (size_t i = 0; i < count; i++) {
        double row[3] = {calls[i].sent, calls[i].ended, calls[i].status};
        fwrite(row, sizeof *row, 3, answers);
    }
    if (fclose(answers)) fail_by_system(argv[9]);
    return 0;
}
