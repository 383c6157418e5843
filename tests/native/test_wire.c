/* Tests of wire.h: which frames are legal (every type, flag set and kind of stream), that a legal frame
 * gives back what was put into it, that a frame cut at any byte never leads outside of it, and metadata.
 *
 * `test_wire seeds DIR` writes one file per legal frame instead: the fuzzer starts from them.
 */
#include "encode.h"

#ifndef ROUNDS
#define ROUNDS 300000u
#endif

/* ---- the table of docs/wire.md, written out once more ---- */

typedef enum { CALL, CONNECTION, EITHER } place;

static const struct {
    uint8_t type;
    uint8_t flags;
    place stream;
} specified[] = {
    {1, 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20, CALL}, /* OPEN */
    {2, 0x08, CALL},                                    /* HEADERS */
    {3, 0x01 | 0x02 | 0x04 | 0x80, CALL},               /* MESSAGE */
    {4, 0x01 | 0x02 | 0x08 | 0x20 | 0x40, CALL},        /* TRAILERS */
    {5, 0, CALL},                                       /* CANCEL */
    {6, 0, EITHER},                                     /* CREDIT */
    {7, 0x01, CONNECTION},                              /* PING */
    {8, 0x40, CONNECTION},                              /* GOAWAY */
    {9, 0, CONNECTION},                                 /* RELEASE */
};

static bool legal(uint32_t type, uint32_t flags, uint32_t stream) {
    for (size_t i = 0; i < sizeof specified / sizeof *specified; i++) {
        if (specified[i].type != type) continue;
        if (flags & ~(uint32_t)specified[i].flags) return false;
        if (specified[i].stream != EITHER && (specified[i].stream == CALL) != (stream != 0)) return false;
        if ((flags & 0x84) && !(flags & 0x02)) return false; /* MORE, CONTINUED speak of a message */
        if ((flags & 0x05) == 0x05) return false;            /* END comes with the last piece */
        return true;
    }
    return false;
}

static void same(const uint8_t *frame, uint32_t at, uint32_t size, part p) {
    CHECK(size == p.size);
    CHECK(size == 0 || memcmp(frame + at, p.bytes, size) == 0);
}

/* The view must give back every part that was put in, and nothing for a part that was not. */
static void check_view(const frame_parts *f, const uint8_t *frame, const sw_view *v) {
    const part none = {NULL, 0};
    const uint8_t flags = f->flags;
    const bool first = (flags & 0x84) == 0x04;
    CHECK(v->timeout_ns == ((f->type == 1 && (flags & 0x10)) ? f->timeout_ns : 0));
    same(frame, v->name, v->name_size, f->type == 1 && (flags & 0x20) ? f->name : none);
    same(frame, v->initial, v->initial_size, f->type == 4 && (flags & 0x20) ? f->initial : none);
    same(frame, v->metadata, v->metadata_size, (flags & 0x08) ? f->metadata : none);
    same(frame, v->details, v->details_size, (flags & 0x40) ? f->details : none);
    same(frame, v->message, v->message_size, (flags & 0x02) ? f->message : none);
    CHECK(v->total == (!(flags & 0x02) ? 0 : first ? f->total : f->message.size));
}

static void check_bounds(const sw_view *v, uint32_t size) {
    CHECK((uint64_t)v->name + v->name_size <= size);
    CHECK((uint64_t)v->initial + v->initial_size <= size);
    CHECK((uint64_t)v->metadata + v->metadata_size <= size);
    CHECK((uint64_t)v->details + v->details_size <= size);
    CHECK((uint64_t)v->message + v->message_size <= size);
}

/* Parse `size` bytes that lie in a block of exactly that size, where a sanitizer sees every step outside. */
static const char *parse_alone(const uint8_t *frame, uint32_t size, sw_view *v) {
    uint8_t header[16] = {0};
    memcpy(header, frame, size < 16 ? size : 16);
    memcpy(header, &size, 4);
    uint8_t *alone = malloc(size ? size : 1);
    CHECK(alone != NULL);
    memcpy(alone, frame, size);
    const sw_header h = sw_load_header(header);
    const char *wrong = sw_parse(&h, alone, v);
    if (wrong == NULL) check_bounds(v, size);
    free(alone);
    return wrong;
}

static void test_every_type_and_flag(void) {
    static uint8_t frame[4096];
    uint64_t random = 1, right = 0, combinations = 0;
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t flags = 0; flags < 256; flags++)
            for (uint32_t stream = 0; stream < 3; stream++) {
                const uint32_t number = stream == 2 ? UINT32_MAX : stream;
                frame_parts f = draw_frame(&random, (uint8_t)type, (uint8_t)flags, number, 64);
                const uint32_t size = encode_frame(frame, &f);
                const sw_header h = sw_load_header(frame);
                CHECK(h.size == size && h.type == type && h.flags == flags && h.stream == number && h.aux == f.aux);
                sw_view v;
                const char *wrong = sw_parse(&h, frame, &v);
                CHECK((wrong == NULL) == legal(type, flags, number));
                if (wrong == NULL) check_view(&f, frame, &v);
                right += wrong == NULL;
                combinations++;
            }
    printf("  every type and flag: %llu combinations, %llu legal, as the specification says\n",
           (unsigned long long)combinations, (unsigned long long)right);
}

static frame_parts draw_legal(uint64_t *random, uint32_t largest) {
    for (;;) {
        const uint8_t type = (uint8_t)(1 + draw_below(random, 9));
        const uint8_t flags = (uint8_t)(draw(random) & specified[type - 1].flags);
        const uint32_t stream = specified[type - 1].stream == CALL ? 1 + draw_below(random, UINT32_MAX - 1) : 0;
        if (legal(type, flags, stream)) return draw_frame(random, type, flags, stream, largest);
    }
}

static void test_round_trip(void) {
    static uint8_t frame[16384];
    uint64_t random = 2;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const frame_parts f = draw_legal(&random, round % 8 ? 100 : 2000);
        const uint32_t size = encode_frame(frame, &f);
        sw_view v;
        const sw_header h = sw_load_header(frame);
        CHECK(h.size == size && sw_parse(&h, frame, &v) == NULL);
        check_view(&f, frame, &v);
    }
    printf("  round trip: %u random legal frames\n", ROUNDS);
}

/* A shorter frame may be legal (its message is shorter then), but only where nothing but a message was cut. */
static void test_truncation(void) {
    static uint8_t frame[4096];
    uint64_t random = 3, cuts = 0, parsed = 0;
    for (uint32_t round = 0; round < ROUNDS / 100; round++) {
        const frame_parts f = draw_legal(&random, 60);
        const uint32_t size = encode_frame(frame, &f);
        for (uint32_t cut = 0; cut < size; cut++) {
            sw_view v;
            const char *wrong = parse_alone(frame, cut, &v);
            const bool only_message_cut = (f.flags & 0x02) && size - cut <= f.message.size;
            CHECK((wrong == NULL) == only_message_cut);
            parsed += wrong == NULL;
            cuts++;
        }
        /* One byte more than the parts fill is an error, except where it lengthens the message. */
        const uint32_t longer = size + 1;
        memset(frame + size, 0x5a, 1);
        sw_view v;
        CHECK((parse_alone(frame, longer, &v) == NULL) == ((f.flags & 0x02) != 0));
    }
    printf("  truncation: %llu cuts, %llu of them shortened a message, the others were refused\n", (unsigned long long)cuts,
           (unsigned long long)parsed);
}

static void test_lengths(void) {
    /* Every inner length replaced by values around every limit; the frame never grows. */
    static uint8_t frame[4096];
    uint64_t random = 4, tried = 0;
    for (uint32_t round = 0; round < ROUNDS / 30; round++) {
        const frame_parts f = draw_legal(&random, 40);
        const uint32_t size = encode_frame(frame, &f);
        if (size < 20) continue;
        const uint32_t at = 16 + draw_below(&random, size - 19);
        const uint32_t values[] = {0, 1, size, size - at, size - at - 4, size - at - 3, UINT32_MAX, UINT32_MAX - at, 1u << 31};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            memcpy(frame + at, &values[i], 4);
            sw_view v;
            parse_alone(frame, size, &v);
            tried++;
        }
    }
    /* The announced length of a message in pieces: more than its first piece. */
    const uint8_t text[4] = "abcd";
    const uint64_t totals[] = {0, 1, 3, 4, 5, UINT64_MAX};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        const frame_parts f = {.type = 3, .flags = 0x06, .stream = 1, .total = totals[i], .message = {text, 4}};
        const uint32_t size = encode_frame(frame, &f);
        sw_view v;
        CHECK((parse_alone(frame, size, &v) == NULL) == (totals[i] > 4));
    }
    printf("  lengths: %llu overwritten lengths stayed in bounds\n", (unsigned long long)tried);
}

static void test_metadata(void) {
    static uint8_t block[8192];
    uint64_t random = 5, entries = 0, cuts = 0;
    for (uint32_t round = 0; round < ROUNDS / 100; round++) {
        const uint16_t count = (uint16_t)draw_below(&random, 6);
        part key[6], value[6];
        uint8_t *end = put(block, &count, 2);
        for (uint32_t i = 0; i < count; i++) {
            key[i] = draw_part(&random, 20);
            value[i] = draw_part(&random, 60);
            const uint16_t k = (uint16_t)key[i].size;
            end = put(put(end, &k, 2), &value[i].size, 4);
            end = put(put(end, key[i].bytes, key[i].size), value[i].bytes, value[i].size);
        }
        const uint32_t size = (uint32_t)(end - block);
        for (uint32_t cut = size;; cut--) {
            uint8_t *alone = malloc(cut ? cut : 1);
            CHECK(alone != NULL);
            memcpy(alone, block, cut);
            uint32_t at = 0, announced = 0, got = 0;
            sw_entry e;
            if (sw_metadata_begin(alone, cut, &at, &announced) == 0) {
                CHECK(announced == count);
                for (; got < announced && sw_metadata_next(alone, cut, &at, &e) == 0; got++) {
                    same(alone, e.key, e.key_size, key[got]);
                    same(alone, e.value, e.value_size, value[got]);
                    entries++;
                }
                CHECK((got == announced && at == cut) == (cut == size));
                CHECK(cut == size || got < announced);
            } else {
                CHECK(cut < 2);
            }
            free(alone);
            if (cut == 0) break;
            cuts++;
        }
    }
    printf("  metadata: %llu entries read back, %llu cut blocks refused\n", (unsigned long long)entries,
           (unsigned long long)cuts);
}

static int write_seeds(const char *directory) {
    static uint8_t bytes[4096];
    uint64_t random = 6;
    uint32_t written = 0;
    for (uint32_t type = 1; type <= 9; type++)
        for (uint32_t flags = 0; flags < 256; flags++) {
            const uint32_t stream = specified[type - 1].stream == CALL;
            if (!legal(type, flags, stream)) continue;
            const frame_parts f = draw_frame(&random, (uint8_t)type, (uint8_t)flags, stream, 40);
            bytes[0] = (uint8_t)written; /* the mode of fuzz_wire.c */
            const uint32_t size = encode_frame(bytes + 1, &f) + 1;
            char path[4096];
            CHECK(snprintf(path, sizeof path, "%s/%u-%02x", directory, type, flags) < (int)sizeof path);
            FILE *file = fopen(path, "wb");
            CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
            written++;
        }
    return 0;
}

/* Tables of blocks: one that is made of a random message comes back; one with a wrong entry does not. */
static void test_blocks(void) {
    uint64_t random = 23;
    const uint64_t arena = 1u << 20;
    static uint8_t message[4 + 8 * SW_BLOCK_ENTRY + 512];
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const uint32_t blocks = draw_below(&random, 9);
        sw_block put_in[8];
        uint64_t position = 0, total = 0;
        uint32_t inlined = 0;
        uint8_t *at = put(message, &blocks, 4);
        for (uint32_t i = 0; i < blocks; i++) {
            const uint32_t before = draw_below(&random, 3) ? draw_below(&random, 60) : 0;
            const uint64_t size = 1 + draw_below(&random, 1u << 20), offset = draw_below(&random, (uint32_t)(arena - size + 1));
            inlined += before;
            total += size;
            put_in[i] = (sw_block){position + before, offset, size};
            position += before + size;
            at = put(at, &put_in[i], SW_BLOCK_ENTRY);
        }
        inlined += draw_below(&random, 30);
        at += inlined;
        const uint32_t wrong = blocks ? draw_below(&random, 6) : 0; /* 0, 5: nothing is */
        const uint32_t which = blocks ? draw_below(&random, blocks) : 0;
        uint8_t *const entry = message + 4 + which * SW_BLOCK_ENTRY;
        sw_block changed = blocks ? put_in[which] : (sw_block){0, 0, 0};
        if (wrong == 1) changed.offset = arena - changed.size + 1 + draw_below(&random, 100);
        if (wrong == 2) changed.size = draw_below(&random, 2) ? 0 : arena - changed.offset + 1;
        if (wrong == 3) changed.position += inlined + 1;
        if (wrong == 4) changed.position = changed.position ? draw_below(&random, (uint32_t)changed.position) : UINT64_MAX;
        if (wrong) memcpy(entry, &changed, SW_BLOCK_ENTRY);
        const sw_view v = {.message = 0, .message_size = (uint32_t)(at - message)};
        uint32_t next, count;
        CHECK(sw_blocks_begin(message, &v, &next, &count) == NULL && count == blocks);
        uint64_t done = 0, left = inlined;
        const char *bad = NULL;
        for (uint32_t i = 0; i < blocks && bad == NULL; i++) {
            sw_block b;
            bad = sw_blocks_next(message, &v, &next, arena, &done, &left, &b);
            if (bad == NULL && !wrong) CHECK(memcmp(&b, &put_in[i], sizeof b) == 0);
        }
        if (wrong == 0 || wrong == 5) CHECK(bad == NULL && done + left == total + inlined);
        /* A block that stands earlier than it did is only wrong where that is inside of what is before it. */
        if (wrong >= 1 && wrong <= 3) CHECK(bad != NULL);
        const sw_view cut = {.message = 0, .message_size = draw_below(&random, 4 + blocks * SW_BLOCK_ENTRY)};
        CHECK(sw_blocks_begin(message, &cut, &next, &count) != NULL);
    }
    printf("  blocks: %u random tables\n", ROUNDS);
}

int main(int argc, char **argv) {
    fail_after(50);
    if (argc == 3 && strcmp(argv[1], "seeds") == 0) return write_seeds(argv[2]);
    test_every_type_and_flag();
    test_round_trip();
    test_truncation();
    test_lengths();
    test_metadata();
    test_blocks();
    return 0;
}
