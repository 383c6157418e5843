/* The frame parser, the metadata reader and the ring's counters under hostile bytes.
 *
 * The first byte chooses what the rest is. Every byte a view points at is touched, in a copy of exactly the
 * input's size, so a sanitizer sees each step outside. With clang this is a libFuzzer target; with
 * -DSTANDALONE it is a program that makes its own inputs: random bytes, and legal frames with bytes changed.
 */
#include "encode.h"

static volatile uint64_t sink;

static void touch(const uint8_t *at, uint32_t size) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < size; i++) sum += at[i];
    sink += sum;
}

static void read_metadata(const uint8_t *block, uint32_t size) {
    uint32_t at, count;
    if (sw_metadata_begin(block, size, &at, &count) != 0) return;
    sw_entry e;
    while (count-- > 0 && sw_metadata_next(block, size, &at, &e) == 0) {
        touch(block + e.key, e.key_size);
        touch(block + e.value, e.value_size);
        CHECK(at <= size);
    }
}

/* Every message is read as a table of blocks, too: whether it is one, the connection knows. */
static void read_blocks(const uint8_t *frame, const sw_view *v) {
    const uint64_t arena = 1u << 20;
    uint32_t at, count;
    if (sw_blocks_begin(frame, v, &at, &count) != NULL) return;
    uint64_t done = 0, left = v->message + v->message_size - (at + count * SW_BLOCK_ENTRY), size = left;
    sw_block b;
    while (count-- > 0 && sw_blocks_next(frame, v, &at, arena, &done, &left, &b) == NULL) {
        CHECK(b.size > 0 && b.offset < arena && b.size <= arena - b.offset);
        CHECK(b.position <= done && b.position + b.size == done);
        CHECK(left <= size && at <= v->message + v->message_size);
    }
}

static uint32_t read_frame(const uint8_t *bytes, uint32_t size) {
    if (size < SW_FRAME_HEADER) return 0;
    sw_header h = sw_load_header(bytes);
    if (h.size > size) h.size = size; /* what a reader refuses; here it lets the fuzzer see past the length */
    sw_view v;
    if (sw_parse(&h, bytes, &v) != NULL) return 0;
    touch(bytes + v.name, v.name_size);
    touch(bytes + v.details, v.details_size);
    touch(bytes + v.message, v.message_size);
    if (h.flags & SW_HAS_METADATA) read_metadata(bytes + v.metadata, v.metadata_size);
    if (h.type == SW_TRAILERS && (h.flags & SW_HAS_INITIAL)) read_metadata(bytes + v.initial, v.initial_size);
    if (h.flags & SW_HAS_MESSAGE) read_blocks(bytes, &v);
    CHECK(v.total == v.message_size || (v.total > v.message_size && (h.flags & SW_MORE)));
    return h.size;
}

/* A reader that stands at `position` of a 4 KiB ring meets any head. */
static void read_ring(const uint8_t *bytes, uint32_t size) {
    uint64_t word[2];
    if (size < sizeof word) return;
    memcpy(word, bytes, sizeof word);
    static _Alignas(64) sr_control ctl;
    static uint8_t data[2 * 4096];
    const uint64_t rest = size - sizeof word < 4096 ? size - sizeof word : 4096;
    memcpy(data, bytes + sizeof word, rest);
    memcpy(data + 4096, data, 4096); /* stands for the second mapping */
    sr_end r;
    sr_init(&r, &ctl, data, 4096);
    r.position = r.limit = word[0] & ~(uint64_t)7;
    atomic_store(&ctl.head, word[1]);
    int64_t there = sr_available(&r);
    CHECK(there == SR_CORRUPT || (there >= 0 && there <= 4096 && there % 8 == 0));
    while (there >= (int64_t)SW_FRAME_HEADER) {
        const sw_header h = sw_load_header(sr_at(&r));
        if (h.size < SW_FRAME_HEADER || h.size > (uint64_t)there || read_frame(sr_at(&r), h.size) == 0) return;
        sr_consume(&r, h.size);
        there = sr_available(&r);
        CHECK(there >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size == 0 || size > 65536) return 0;
    const uint32_t rest = (uint32_t)size - 1;
    uint8_t *alone = malloc(rest ? rest : 1);
    CHECK(alone != NULL);
    memcpy(alone, bytes + 1, rest);
    switch (bytes[0] % 4) {
    case 0:
    case 1: read_frame(alone, rest); break;
    case 2: read_metadata(alone, rest); break;
    default: read_ring(alone, rest); break;
    }
    free(alone);
    return 0;
}

#ifdef STANDALONE
int main(int argc, char **argv) {
    const unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    static uint8_t bytes[8192];
    uint64_t random = 7;
    fail_after(50);
    for (unsigned long round = 0; round < rounds; round++) {
        uint32_t size;
        if (round & 1) {
            const frame_parts f =
                draw_frame(&random, (uint8_t)draw_below(&random, 11), (uint8_t)draw(&random), draw_below(&random, 3), 40);
            size = encode_frame(bytes + 1, &f) + 1;
            for (uint32_t changes = draw_below(&random, 4); changes > 0; changes--)
                bytes[1 + draw_below(&random, size - 1)] = (uint8_t)draw(&random);
            size -= draw_below(&random, 4) ? 0 : draw_below(&random, size - 1);
        } else {
            size = 1 + draw_below(&random, 120);
            for (uint32_t i = 1; i < size; i++) bytes[i] = (uint8_t)((draw(&random) & 3) ? draw_below(&random, 8) : draw(&random));
        }
        bytes[0] = (uint8_t)draw(&random);
        LLVMFuzzerTestOneInput(bytes, size);
    }
    printf("  random driver: %lu inputs\n", rounds);
    return 0;
}
#endif
