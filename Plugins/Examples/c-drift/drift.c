// A plugin without any library: a random walk with drift, and a reader of Varlink's frames of its own.
//
// State, [3]: the last value (NaN before the first), the mean step, and the mean absolute deviation from it.
//
//     cc -O2 -o drift drift.c -lm
//
// Varlink is JSON objects, each ended by a NUL byte, on a connected socket: descriptor 3. This reads just the JSON that
// the daemon writes: members of one object, found by name, without copies. Numbers are little-endian on the wire, as on
// every machine this is likely to run on.

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET = 3, STATE = 3, MODELS = 64, QUANTILES = 64, CHUNK = 65536 };

typedef struct {
    char name[128];
    int horizon;
    int quantiles;
    double spreads[QUANTILES];  // how many deviations each quantile is away from the middle
    double memory;
} Model;

typedef struct {
    char *bytes;
    size_t count, room;
} Text;

static Model models[MODELS];

static void die(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    exit(1);
}

// MARK: Text

static void reserve(Text *text, size_t more) {
    if (text->count + more <= text->room) return;
    text->room = 2 * (text->count + more);
    text->bytes = realloc(text->bytes, text->room);
    if (text->bytes == NULL) die("out of memory");
}

static void append(Text *text, const char *bytes, size_t count) {
    reserve(text, count);
    memcpy(text->bytes + text->count, bytes, count);
    text->count += count;
}

static void say(Text *text, const char *words) { append(text, words, strlen(words)); }

// MARK: JSON

// Steps over one value; returns where it ends.
static const char *skip(const char *at) {
    int depth = 0;
    do {
        while (*at == ' ' || *at == ',' || *at == ':') at++;
        if (*at == '"') {
            for (at++; *at != '"'; at++) {
                if (*at == '\\') at++;
                if (*at == 0) return at;
            }
            at++;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (*at == 0) {
            return at;
        } else {
            while (*at != 0 && strchr(",:]} ", *at) == NULL) at++;
        }
    } while (depth > 0);
    return at;
}

// Where the value of a member of the object at `object` begins; NULL if there is none.
static const char *member(const char *object, const char *name) {
    if (object == NULL || *object != '{') return NULL;
    size_t length = strlen(name);
    for (const char *at = object + 1; *at != 0 && *at != '}';) {
        while (*at == ',' || *at == ' ') at++;
        if (*at != '"') return NULL;
        const char *found = at + 1;
        at = skip(at);
        int isIt = (size_t)(at - 1 - found) == length && memcmp(found, name, length) == 0;
        while (*at == ':' || *at == ' ') at++;
        if (isIt) return at;
        at = skip(at);
    }
    return NULL;
}

static double number(const char *value, double missing) { return value == NULL ? missing : strtod(value, NULL); }

static int copy_string(const char *value, char *out, size_t room) {
    if (value == NULL || *value != '"') return 0;
    size_t length = (size_t)(skip(value) - value) - 2;
    if (length >= room) return 0;
    memcpy(out, value + 1, length);
    out[length] = 0;
    return 1;
}

// MARK: Base64

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t values[256];

// Decodes a string of base64 into `count` float32; 0 if it does not hold exactly so many.
static int floats_of(const char *value, float *out, size_t count) {
    if (value == NULL || *value != '"') return 0;
    size_t bytes = count * sizeof(float), length = (size_t)(skip(value) - value) - 2;
    if (length != (bytes + 2) / 3 * 4) return 0;
    const uint8_t *text = (const uint8_t *)value + 1;
    uint8_t *to = (uint8_t *)out;
    for (size_t place = 0; place < bytes; place += 3, text += 4) {
        uint32_t word = (uint32_t)values[text[0]] << 18 | (uint32_t)values[text[1]] << 12 |
                        (uint32_t)values[text[2]] << 6 | values[text[3]];
        for (size_t byte = 0; byte < 3 && place + byte < bytes; byte++) to[place + byte] = (uint8_t)(word >> (16 - 8 * byte));
    }
    return 1;
}

static void say_floats(Text *text, const float *from, size_t count) {
    const uint8_t *bytes = (const uint8_t *)from;
    size_t size = count * sizeof(float);
    reserve(text, size / 3 * 4 + 8);
    say(text, "\"");
    char *out = text->bytes + text->count;
    for (size_t place = 0; place < size; place += 3) {
        size_t rest = size - place;
        uint32_t word = (uint32_t)bytes[place] << 16 | (rest > 1 ? (uint32_t)bytes[place + 1] << 8 : 0) |
                        (rest > 2 ? bytes[place + 2] : 0);
        *out++ = letters[word >> 18];
        *out++ = letters[word >> 12 & 63];
        *out++ = rest > 1 ? letters[word >> 6 & 63] : '=';
        *out++ = rest > 2 ? letters[word & 63] : '=';
    }
    text->count = (size_t)(out - text->bytes);
    say(text, "\"");
}

// MARK: The method

// One step of a row, and its forecast if `out` is not NULL: [horizon][quantiles].
static void step(const Model *model, float *state, float value, float *out) {
    if (!isnan(value)) {
        if (!isnan(state[0])) {
            double change = (double)value - state[0], surprise = fabs(change - state[1]);
            state[1] += (float)((change - state[1]) / model->memory);
            state[2] += (float)((surprise - state[2]) / model->memory);
        }
        state[0] = value;
    } else if (!isnan(state[0])) {
        state[0] += state[1];
    }
    for (int lead = 1; out != NULL && lead <= model->horizon; lead++) {
        double middle = state[0] + lead * (double)state[1], width = 1.2533 * state[2] * sqrt(lead);
        for (int level = 0; level < model->quantiles; level++) *out++ = (float)(middle + width * model->spreads[level]);
    }
}

// The quantile of the normal distribution, by bisection: exact enough, and short.
static double normal_quantile(double level) {
    double low = -8, high = 8;
    for (int turn = 0; turn < 60; turn++) {
        double middle = (low + high) / 2;
        if (0.5 * erfc(-middle / sqrt(2)) < level) low = middle; else high = middle;
    }
    return (low + high) / 2;
}

// MARK: The interface

static Model *find(const char *parameters) {
    char name[128];
    if (!copy_string(member(parameters, "model"), name, sizeof name)) return NULL;
    for (int place = 0; place < MODELS; place++) {
        if (strcmp(models[place].name, name) == 0) return &models[place];
    }
    return NULL;
}

static void fail(Text *reply, const char *error, const char *name, const char *value, const char *text) {
    say(reply, "{\"error\":\"org.nilometer.Forecaster.");
    say(reply, error);
    say(reply, "\",\"parameters\":{\"");
    say(reply, name);
    say(reply, "\":\"");
    say(reply, value);
    if (text != NULL) {
        say(reply, "\",\"text\":\"");
        say(reply, text);
    }
    say(reply, "\"}}");
}

static void describe(Text *reply) {
    say(reply, "{\"parameters\":{\"contract\":1,\"name\":\"c-drift\",\"version\":\"1\",\"capabilities\":[]}}");
}

static void load(const char *parameters, Text *reply) {
    const char *specification = member(parameters, "specification"), *given = member(specification, "parameters");
    Model model = {.horizon = (int)number(member(specification, "horizon"), 0), .memory = 64};
    for (const char *at = given == NULL ? "" : given + 1; *at == '"'; at += *at == ',') {
        const char *value = skip(at) + 1;
        if (strncmp(at, "\"memory\"", 8) != 0) {
            return fail(reply, "BadParameter", "parameter", "parameters", "this plugin takes memory alone");
        }
        model.memory = number(value, 0);
        at = skip(value);
    }
    if (!(model.memory >= 2 && model.memory <= 10000)) {
        return fail(reply, "BadParameter", "parameter", "memory", "expected a number from 2 to 10000");
    }
    const char *level = member(specification, "quantiles");
    for (level = level == NULL ? "" : level + 1; *level != 0 && *level != ']' && model.quantiles < QUANTILES;) {
        char *end;
        model.spreads[model.quantiles++] = normal_quantile(strtod(level, &end));
        level = *end == ',' ? end + 1 : end;
    }
    Model *slot = find(parameters);
    for (int place = 0; slot == NULL && place < MODELS; place++) {
        if (models[place].name[0] == 0) slot = &models[place];
    }
    if (slot == NULL || model.horizon < 1 || !copy_string(member(parameters, "model"), model.name, sizeof model.name)) {
        return fail(reply, "BadParameter", "parameter", "model", "too many models, a long name or no horizon");
    }
    *slot = model;
    const float initial[STATE] = {NAN, 0, 0};
    say(reply, "{\"parameters\":{\"stateCount\":3,\"lags\":[],\"experts\":[{\"name\":\"\",\"prior\":1}],\"initialState\":");
    say_floats(reply, initial, STATE);
    say(reply, ",\"summary\":\"a random walk with drift\"}}");
}

static void unload(const char *parameters, Text *reply) {
    Model *model = find(parameters);
    if (model != NULL) model->name[0] = 0;
    say(reply, "{\"parameters\":{}}");
}

static void advance(const char *parameters, Text *reply) {
    const Model *model = find(parameters);
    if (model == NULL || model->name[0] == 0) return fail(reply, "UnknownModel", "model", "?", NULL);
    double rows = number(member(parameters, "count"), -1);
    if (!(rows >= 0 && rows <= 1 << 20)) return fail(reply, "BadPayload", "name", "count", "expected a number of rows");
    size_t count = (size_t)rows, width = (size_t)model->horizon * (size_t)model->quantiles;
    const char *wanted = member(parameters, "wantsForecasts");
    if (wanted == NULL || *wanted != 't') width = 0;
    float *states = malloc(count * STATE * sizeof(float) + 1), *inputs = malloc(count * sizeof(float) + 1);
    float *forecasts = malloc(count * width * sizeof(float) + 1);
    if (states == NULL || inputs == NULL || forecasts == NULL) die("out of memory");
    if (!floats_of(member(parameters, "states"), states, count * STATE)) {
        fail(reply, "BadPayload", "name", "states", "expected 3 numbers a row");
    } else if (!floats_of(member(parameters, "values"), inputs, count)) {
        fail(reply, "BadPayload", "name", "values", "expected a number a row");
    } else {
        for (size_t row = 0; row < count; row++) {
            step(model, states + row * STATE, inputs[row], width > 0 ? forecasts + row * width : NULL);
        }
        say(reply, "{\"parameters\":{\"states\":");
        say_floats(reply, states, count * STATE);
        say(reply, ",\"forecasts\":");
        say_floats(reply, forecasts, count * width);
        say(reply, "}}");
    }
    free(states);
    free(inputs);
    free(forecasts);
}

static void answer(const char *call, Text *reply) {
    char method[128] = "";
    copy_string(member(call, "method"), method, sizeof method);
    const char *parameters = member(call, "parameters");
    if (strcmp(method, "org.nilometer.Forecaster.Describe") == 0) return describe(reply);
    if (strcmp(method, "org.nilometer.Forecaster.Load") == 0) return load(parameters, reply);
    if (strcmp(method, "org.nilometer.Forecaster.Unload") == 0) return unload(parameters, reply);
    if (strcmp(method, "org.nilometer.Forecaster.Advance") == 0) return advance(parameters, reply);
    say(reply, "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"?\"}}");
}

static void send_all(const Text *text) {
    for (size_t sent = 0; sent < text->count;) {
        ssize_t count = send(SOCKET, text->bytes + sent, text->count - sent, MSG_NOSIGNAL);
        if (count <= 0) exit(0);
        sent += (size_t)count;
    }
}

int main(void) {
    for (int value = 0; value < 64; value++) values[(uint8_t)letters[value]] = (uint8_t)value;
    Text input = {0}, reply = {0};
    size_t searched = 0;
    for (;;) {
        char *end = input.count > searched ? memchr(input.bytes + searched, 0, input.count - searched) : NULL;
        if (end == NULL) {
            searched = input.count;
            reserve(&input, CHUNK);
            ssize_t count = recv(SOCKET, input.bytes + input.count, CHUNK, 0);
            if (count <= 0) return 0;  // The daemon has hung up: nobody needs this any more.
            input.count += (size_t)count;
            continue;
        }
        reply.count = 0;
        answer(input.bytes, &reply);
        append(&reply, "", 1);
        send_all(&reply);
        size_t frame = (size_t)(end - input.bytes) + 1;
        memmove(input.bytes, input.bytes + frame, input.count - frame);
        input.count -= frame;
        searched = 0;
    }
}
