/* Bytes that grow, and what MessagePack writes into them.

   INVARIANT: who asks for room first may write so much, and no more.
*/
#ifndef TB_GROWING_H
#define TB_GROWING_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    char *data;
    Py_ssize_t size, room;
} Bytes;

static int
grow(Bytes *bytes, Py_ssize_t more)
{
    if (bytes->size + more <= bytes->room) {
        return 0;
    }
    Py_ssize_t room = 2 * (bytes->size + more) + 256;
    char *data = PyMem_Realloc(bytes->data, room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    bytes->data = data;
    bytes->room = room;
    return 0;
}

static void
release(Bytes *bytes)
{
    PyMem_Free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* the last so many bytes of a number, the highest first */
static char *
put_big(char *out, uint64_t value, int bytes)
{
    unsigned char highest_first[8];
    for (int at = 0; at < 8; at++) {
        highest_first[at] = (unsigned char)(value >> (56 - 8 * at));
    }
    memcpy(out, highest_first + 8 - bytes, bytes);
    return out + bytes;
}

static char *
put_int(char *out, int64_t value)
{
    if (value >= 0) {
        if (value < 128) {
            *out++ = (char)value;
            return out;
        }
        int wide = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFFFFFFLL ? 2 : 3;
        *out++ = (char)(0xCC + wide);
        return put_big(out, (uint64_t)value, 1 << wide);
    }
    if (value >= -32) {
        *out++ = (char)value;
        return out;
    }
    int wide = value >= INT8_MIN ? 0 : value >= INT16_MIN ? 1 : value >= INT32_MIN ? 2 : 3;
    *out++ = (char)(0xD0 + wide);
    return put_big(out, (uint64_t)value, 1 << wide);
}

static char *
put_real(char *out, double value)
{
    if (!isfinite(value)) {
        *out++ = (char)0xC0;
        return out;
    }
    uint64_t bits;
    memcpy(&bits, &value, 8);
    *out++ = (char)0xCB;
    return put_big(out, bits, 8);
}

static char *
put_head(char *out, Py_ssize_t count)
{
    if (count < 16) {
        *out++ = (char)(0x90 | count);
        return out;
    }
    if (count < 1 << 16) {
        *out++ = (char)0xDC;
        return put_big(out, (uint64_t)count, 2);
    }
    *out++ = (char)0xDD;
    return put_big(out, (uint64_t)count, 4);
}

#endif
