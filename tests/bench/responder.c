/* Answers SNMP for every address of 127.0.0.0/8 at one port, from one list of objects, as cheaply as it can.
 *
 * responder PORT OCTETS FILE [AUTH PRIV]: OCTETS is the longest reply (a GETBULK is cut short, RFC 3416 4.2.3); FILE
 * has for each object, in order: length and octets of its name, tag, whether it counts (1) or is each device's own (2: its
 * last five octets are the address's last two in digits), length and octets of its value.
 * With AUTH and PRIV (hex, the user's keys before localisation: 20 octets of SHA-1 each) SNMPv3 authPriv, SHA-1 and
 * AES-128, user "bench"; each address is an engine of its own. It trusts who asks: for measurements only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* libcrypto's, declared here so that its header files need not be installed. */
unsigned char *HMAC(const void *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned *);
const void *EVP_sha1(void);
unsigned char *SHA1(const unsigned char *, size_t, unsigned char *);
void *EVP_CIPHER_CTX_new(void);
const void *EVP_aes_128_cfb128(void);
int EVP_CipherInit_ex(void *, const void *, void *, const unsigned char *, const unsigned char *, int);
int EVP_CipherUpdate(void *, unsigned char *, int *, const unsigned char *, int);

typedef uint8_t u8;
typedef struct { const u8 *name; int named; u8 tag; int counts; const u8 *value; int valued; uint64_t start; } Object;
static Object *objects;
static int count, longest, ticks;
static u8 ku_auth[20], ku_priv[20];
static time_t born;
static unsigned own; /* the last two octets of the address asked */
static void *cipher;

static u8 *load(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file) { perror(path); exit(1); }
    fseek(file, 0, SEEK_END); *size = ftell(file); rewind(file);
    u8 *all = malloc(*size);
    if (fread(all, 1, *size, file) != (size_t)*size) exit(1);
    fclose(file);
    return all;
}

static void index_objects(const u8 *at, const u8 *end) {
    objects = malloc(sizeof(Object) * (end - at));
    while (at < end) {
        Object *one = &objects[count++];
        one->named = *at++; one->name = at; at += one->named;
        one->tag = *at++; one->counts = *at++; one->valued = *at++; one->value = at; at += one->valued;
        for (int i = 0; i < one->valued && one->counts == 1; i++) one->start = one->start << 8 | one->value[i];
    }
}

static int header(const u8 *p, u8 *tag, int *size) { /* octets of tag and length */
    *tag = p[0];
    if (p[1] < 0x80) { *size = p[1]; return 2; }
    int many = p[1] & 0x7f; *size = 0;
    for (int i = 0; i < many; i++) *size = *size << 8 | p[2 + i];
    return 2 + many;
}
static long number(const u8 **p) {
    long found = 0; int size = (*p)[1];
    for (int i = 0; i < size; i++) found = found << 8 | (*p)[2 + i];
    *p += 2 + size;
    return found;
}
static const u8 *into(const u8 *p, int *size) { u8 tag; return p + header(p, &tag, size); }

static int compare(const u8 *a, int an, const u8 *b, int bn) { /* by sub-identifiers */
    int i = 0, j = 0;
    while (i < an && j < bn) {
        uint32_t x = 0, y = 0;
        do x = x << 7 | (a[i] & 0x7f); while (a[i++] & 0x80 && i < an);
        do y = y << 7 | (b[j] & 0x7f); while (b[j++] & 0x80 && j < bn);
        if (x != y) return x < y ? -1 : 1;
    }
    return (i < an) - (j < bn);
}
static int after(const u8 *name, int size) { /* the first object behind name */
    int low = 0, high = count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (compare(objects[middle].name, objects[middle].named, name, size) <= 0) low = middle + 1; else high = middle;
    }
    return low;
}

static int head(u8 *out, u8 tag, int size) {
    out[0] = tag;
    if (size < 0x80) { out[1] = size; return 2; }
    if (size < 0x100) { out[1] = 0x81; out[2] = size; return 3; }
    out[1] = 0x82; out[2] = size >> 8; out[3] = size; return 4;
}
static u8 *wrap(u8 tag, u8 *start, u8 *end) { /* puts a header before [start, end), writing backwards */
    u8 made[4]; int size = head(made, tag, end - start);
    memcpy(start - size, made, size);
    return start - size;
}
static int put(u8 *out, const u8 *name, int named, const Object *one, u8 missing) {
    u8 value[256]; const u8 *content = value; int valued = 0; u8 tag = missing;
    if (one) {
        tag = one->tag; content = one->value; valued = one->valued;
        if (one->counts == 2) {
            char digits[6]; snprintf(digits, sizeof digits, "%05u", own);
            memcpy(value, one->value, valued); memcpy(value + valued - 5, digits, 5); content = value;
        } else if (one->counts) {
            uint64_t now = one->start + (uint64_t)ticks * (tag == 0x43 ? 10 : 1000 + (one->name[one->named - 1] & 63));
            if (tag != 0x46) now &= 0xffffffff;
            int many = 1; while (many < 8 && now >> (8 * many)) many++;
            valued = 0;
            if (now >> (8 * many - 1) & 1) value[valued++] = 0;
            while (many--) value[valued++] = now >> (8 * many);
            content = value;
        }
    }
    u8 *p = out; int inner = 2 + named + 2 + (valued > 127) + valued;
    p += head(p, 0x30, inner); *p++ = 6; *p++ = named; memcpy(p, name, named); p += named;
    p += head(p, tag, valued); memcpy(p, content, valued);
    return p + valued - out;
}

/* The Response to the PDU at p, written so that it ends at end; returns its beginning. */
static u8 *respond(const u8 *p, u8 *end, u8 *room, int overhead) {
    u8 kind; int size; p += header(p, &kind, &size);
    const u8 *id = p; long request = number(&p); (void)request; int idsize = p - id;
    long first = number(&p), second = number(&p);
    int bound; p = into(p, &bound); const u8 *stop = p + bound;
    int at[128], names = 0; const u8 *asked[128]; int askedn[128];
    while (p < stop && names < 128) {
        int inner; const u8 *q = into(p, &inner); p = q + inner;
        askedn[names] = q[1]; asked[names] = q + 2; names++;
    }
    int once = kind == 0xa5 ? first : names, rounds = kind == 0xa5 ? second : 0, written = 0, full = 0;
    for (int i = 0; i < names; i++) at[i] = after(asked[i], askedn[i]);
    for (int i = 0; i < once && !full; i++) {
        const Object *one = at[i] < count ? &objects[at[i]] : 0;
        if (kind == 0xa0) one = at[i] && !compare(objects[at[i] - 1].name, objects[at[i] - 1].named, asked[i], askedn[i]) ? &objects[at[i] - 1] : 0;
        written += one ? put(room + written, one->name, one->named, one, 0) : put(room + written, asked[i], askedn[i], 0, kind == 0xa0 ? 0x81 : 0x82);
    }
    for (int round = 0; round < rounds && !full; round++)
        for (int i = once; i < names; i++) {
            const Object *one = at[i] < count ? &objects[at[i]] : 0;
            int more = one ? put(room + written, one->name, one->named, one, 0) : put(room + written, asked[i], askedn[i], 0, 0x82);
            if (written + more + overhead > longest) { full = 1; break; }
            written += more; at[i] += at[i] < count;
        }
    u8 *begin = end - written; memmove(begin, room, written);
    begin = wrap(0x30, begin, end);
    begin -= 6; memcpy(begin, "\2\1\0\2\1\0", 6);
    begin -= idsize; memcpy(begin, id, idsize);
    return wrap(0xa2, begin, end);
}

static void localise(const u8 *ku, const u8 *engine, u8 *kul) {
    u8 all[49]; memcpy(all, ku, 20); memcpy(all + 20, engine, 9); memcpy(all + 29, ku, 20); SHA1(all, 49, kul);
}
static void crypt(const u8 *key, uint32_t boots, uint32_t at, const u8 *salt, const u8 *in, int size, u8 *out, int encrypt) {
    u8 iv[16]; uint32_t b = htonl(boots), t = htonl(at); int done;
    memcpy(iv, &b, 4); memcpy(iv + 4, &t, 4); memcpy(iv + 8, salt, 8);
    EVP_CipherInit_ex(cipher, EVP_aes_128_cfb128(), 0, key, iv, encrypt);
    EVP_CipherUpdate(cipher, out, &done, in, size);
}
static u8 *whole(uint32_t n, u8 *end) { /* an INTEGER of five octets, before end */
    end -= 7; end[0] = 2; end[1] = 5; end[2] = 0; n = htonl(n); memcpy(end + 3, &n, 4); return end;
}

/* The answer to the v3 message at p: data to who is signed for this engine, else a report of its ID. */
static u8 *secured(const u8 *data, int size, struct in_addr me, u8 *end, u8 *room) {
    static u8 plain[65536]; static u8 packed[65536];
    int n; const u8 *p = into(data, &n); number(&p);
    const u8 *g = into(p, &n); p = g + n;
    const u8 *id = g; number(&g); int idsize = g - id; number(&g); u8 flags = g[2];
    const u8 *s = into(p, &n); p = s + n; s = into(s, &n);
    int en = s[1]; const u8 *their = s + 2; s += 2 + en;
    long boots = number(&s), at = number(&s);
    s += 2 + s[1]; const u8 *digest = s + 2; (void)digest; s += 2 + s[1]; const u8 *salt = s + 2;
    u8 engine[9] = {0x80, 0, 0, 0, 1}; memcpy(engine + 5, &me, 4);
    int known = en == 9 && !memcmp(their, engine, 9) && (flags & 3) == 3;
    u8 kul[20], *begin; time_t now = time(0) - born;
    u8 newsalt[8]; uint64_t random = ((uint64_t)rand() << 32) ^ rand(); memcpy(newsalt, &random, 8);
    if (known) {
        int many; const u8 *c = into(p, &many);
        localise(ku_priv, engine, kul); crypt(kul, boots, at, salt, c, many, plain, 0);
        const u8 *q = into(plain, &n); q += 2 + q[1]; q += 2 + q[1];
        begin = respond(q, end, room, 150);
    } else {
        static const u8 report[] = "\x30\x11\x06\x0a\x2b\x06\x01\x06\x03\x0f\x01\x01\x04\x00\x41\x03\x01\x00\x00";
        begin = end - 19; memcpy(begin, report, 19); begin = wrap(0x30, begin, end);
        begin -= 9; memcpy(begin, "\2\1\0\2\1\0\2\1\0", 9); memmove(begin, "\2\1\0", 3); begin = wrap(0xa8, begin, end);
    }
    begin -= 2; begin[0] = 4; begin[1] = 0;
    begin -= 11; begin[0] = 4; begin[1] = 9; memcpy(begin + 2, engine, 9);
    begin = wrap(0x30, begin, end);
    if (known) {
        int many = end - begin; localise(ku_priv, engine, kul); crypt(kul, 1, now, newsalt, begin, many, packed, 1);
        memcpy(begin, packed, many); begin = wrap(4, begin, end);
    }
    u8 *scoped = begin; (void)scoped; u8 *place = 0;
    if (known) { begin -= 10; begin[0] = 4; begin[1] = 8; memcpy(begin + 2, newsalt, 8); begin -= 14; begin[0] = 4; begin[1] = 12; memset(begin + 2, 0, 12); place = begin + 2;
        begin -= 7; memcpy(begin, "\4\5bench", 7); }
    else { begin -= 6; memcpy(begin, "\4\0\4\0\4\0", 6); }
    u8 *security = begin; begin = whole(now, begin); begin = whole(1, begin);
    begin -= 11; begin[0] = 4; begin[1] = 9; memcpy(begin + 2, engine, 9); (void)security;
    begin = wrap(0x30, begin, scoped); begin = wrap(4, begin, scoped);
    u8 *after_header = begin;
    begin -= 3; memcpy(begin, "\2\1\3", 3); begin -= 3; begin[0] = 4; begin[1] = 1; begin[2] = known ? 3 : 0;
    begin -= 5; memcpy(begin, "\2\3\0\xff\xe3", 5); begin -= idsize; memcpy(begin, id, idsize);
    begin = wrap(0x30, begin, after_header);
    begin -= 3; memcpy(begin, "\2\1\3", 3); begin = wrap(0x30, begin, end);
    if (place) { u8 mac[20]; unsigned made; localise(ku_auth, engine, kul); HMAC(EVP_sha1(), kul, 20, begin, end - begin, mac, &made); memcpy(place, mac, 12); }
    (void)size;
    return begin;
}

static u8 *answer(const u8 *data, int size, struct in_addr me, u8 *end, u8 *room) {
    own = ntohl(me.s_addr) & 0xffff;
    int n; const u8 *p = into(data, &n); const u8 *version = p; long which = number(&p);
    if (which == 3) return secured(data, size, me, end, room);
    p += 2 + p[1];
    u8 *begin = respond(p, end, room, 60); int many = p - version;
    begin -= many; memcpy(begin, version, many);
    return wrap(0x30, begin, end);
}

/* The next datagram. For two milliseconds it is looked for again and again: who sends to a process that sleeps pays for
 * waking it, 10 microseconds each time on a virtual machine, which on a network nobody pays. */
static ssize_t awaited(int opened, struct msghdr *message) {
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        ssize_t many = recvmsg(opened, message, MSG_DONTWAIT);
        if (many >= 0) return many;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - began.tv_sec) * 1000000000LL + now.tv_nsec - began.tv_nsec < 2000000);
    return recvmsg(opened, message, 0);
}

int main(int argc, char **argv) {
    static u8 data[65536], room[131072], out[131072], control[256];
    if (argc < 4) return 2;
    long size; u8 *all = load(argv[3], &size); index_objects(all, all + size);
    longest = atoi(argv[2]); born = time(0); cipher = EVP_CIPHER_CTX_new();
    for (int i = 0; argc > 5 && i < 20; i++) { sscanf(argv[4] + 2 * i, "%2hhx", ku_auth + i); sscanf(argv[5] + 2 * i, "%2hhx", ku_priv + i); }
    int opened = socket(AF_INET, SOCK_DGRAM, 0), yes = 1, buffer = 1 << 24;
    setsockopt(opened, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
    setsockopt(opened, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    if (bind(opened, (struct sockaddr *)&here, sizeof here)) { perror("bind"); return 1; }
    struct timespec t0, t1; clock_gettime(CLOCK_MONOTONIC, &t0);
    for (;;) {
        struct sockaddr_in who; struct iovec part = {data, sizeof data};
        struct msghdr message = {&who, sizeof who, &part, 1, control, sizeof control, 0};
        ssize_t many = awaited(opened, &message);
        if (many < 20) continue;
        clock_gettime(CLOCK_MONOTONIC, &t1); ticks = (t1.tv_sec - t0.tv_sec) * 10 + (t1.tv_nsec - t0.tv_nsec) / 100000000;
        struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(CMSG_FIRSTHDR(&message));
        struct in_addr me = info->ipi_addr;
        u8 *end = out + sizeof out, *begin = answer(data, many, me, end, room);
        info->ipi_spec_dst = me; info->ipi_ifindex = 0;
        part.iov_base = begin; part.iov_len = end - begin;
        sendmsg(opened, &message, 0);
    }
}
