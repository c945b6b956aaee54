/* Columns of cells of MessagePack, and the arrays and maps that they become.

   INVARIANT: a column has the bytes that `tb.ledger.columns` gives its cells.
*/
#ifndef TB_CELLS_H
#define TB_CELLS_H
#include "growing.h"

#define LOOK 32 /* texts are looked at for distinct values this far, */
#define FEW 8   /* and up to so many: those of `tb.ledger.columns` */
#define MANY 64 /* that differ, at most, are told apart here */

typedef struct { /* cells of MessagePack; `ends` are where each ends */
    Bytes cells, ends;
    Py_ssize_t count;
} Cells;

static Py_ssize_t
end_of(const Cells *column, Py_ssize_t at)
{
    return at < 0 ? 0 : ((const Py_ssize_t *)column->ends.data)[at];
}

/* room for a cell of so many bytes; its place, or NULL */
static char *
room_for(Cells *column, Py_ssize_t bytes)
{
    if (grow(&column->cells, bytes) < 0 || grow(&column->ends, sizeof(Py_ssize_t)) < 0) {
        return NULL;
    }
    return column->cells.data + column->cells.size;
}

static void
end_cell(Cells *column, const char *end)
{
    column->cells.size = end - column->cells.data;
    ((Py_ssize_t *)column->ends.data)[column->count++] = column->cells.size;
    column->ends.size += sizeof(Py_ssize_t);
}

static void
cut_back(Cells *column, Py_ssize_t count)
{
    column->count = count;
    column->cells.size = end_of(column, count - 1);
    column->ends.size = count * (Py_ssize_t)sizeof(Py_ssize_t);
}

static int
put_text(Cells *column, const char *text, Py_ssize_t size)
{
    char *out = room_for(column, size + 5);
    if (out == NULL) {
        return -1;
    }
    if (size < 32) {
        *out++ = (char)(0xA0 | size);
    }
    else {
        int wide = size <= 0xFF ? 0 : size <= 0xFFFF ? 1 : 2;
        *out++ = (char)(0xD9 + wide);
        out = put_big(out, (uint64_t)size, 1 << wide);
    }
    memcpy(out, text, size);
    end_cell(column, out + size);
    return 0;
}

static int
put_nothing(Cells *column)
{
    char *out = room_for(column, 1);
    if (out == NULL) {
        return -1;
    }
    *out++ = (char)0xC0;
    end_cell(column, out);
    return 0;
}

static int
is_same(const Cells *column, Py_ssize_t one, Py_ssize_t other)
{
    Py_ssize_t begin = end_of(column, one - 1), size = end_of(column, one) - begin;
    Py_ssize_t second = end_of(column, other - 1);
    return size == end_of(column, other) - second && !memcmp(column->cells.data + begin, column->cells.data + second, size);
}

/* whether all cells have the same bytes */
static int
is_one(const char *cells, Py_ssize_t size, Py_ssize_t cell, Py_ssize_t count)
{
    return size == cell * count && !memcmp(cells, cells + cell, size - cell);
}

/* the array of so many cells */
static PyObject *
array_of(const char *cells, Py_ssize_t size, Py_ssize_t first, Py_ssize_t count)
{
    char head[5];
    if (is_one(cells, size, first, count)) {
        size = first;
        count = 1;
    }
    char *end = put_head(head, count);
    PyObject *found = PyBytes_FromStringAndSize(NULL, (end - head) + size);
    if (found != NULL) {
        memcpy(PyBytes_AS_STRING(found), head, end - head);
        memcpy(PyBytes_AS_STRING(found) + (end - head), cells, size);
    }
    return found;
}

/* Which texts differ, by the first of each, as many as there is room for; `which` has the number of each text's. Gives how many
   there are in the first `until`, or -1 for too many. */
static Py_ssize_t
distinct_of(const Cells *column, Py_ssize_t until, Py_ssize_t *first, Py_ssize_t room, unsigned char *which)
{
    Py_ssize_t found = 0, known = 0;
    for (Py_ssize_t at = 0; at < until; at++) {
        if (known >= found || !is_same(column, first[known], at)) { /* mostly the same as before */
            known = 0;
            while (known < found && !is_same(column, first[known], at)) {
                known++;
            }
        }
        if (known == found) {
            if (found == room) {
                return -1;
            }
            first[found++] = at;
        }
        which[at] = (unsigned char)known;
    }
    return found;
}

static PyObject *
list_of(const Cells *column)
{
    const char *cells = column->cells.data;
    PyObject *found = PyList_New(column->count);
    for (Py_ssize_t at = 0; found != NULL && at < column->count; at++) {
        const unsigned char *cell = (const unsigned char *)cells + end_of(column, at - 1);
        PyObject *text;
        if (*cell == 0xC0) {
            text = Py_NewRef(Py_None);
        }
        else {
            Py_ssize_t head = *cell < 0xC0 ? 1 : *cell == 0xD9 ? 2 : *cell == 0xDA ? 3 : 5;
            const char *begin = (const char *)cell + head;
            text = PyUnicode_DecodeUTF8(begin, cells + end_of(column, at) - begin, NULL);
        }
        if (text == NULL) {
            Py_CLEAR(found);
            break;
        }
        PyList_SET_ITEM(found, at, text);
    }
    return found;
}

/* a map: `of` has the texts that differ, `at` the number of each */
static PyObject *
choice_of(const Cells *column, const Py_ssize_t *first, Py_ssize_t distinct, const unsigned char *which)
{
    Py_ssize_t size = 32 + column->count;
    for (Py_ssize_t at = 0; at < distinct; at++) {
        size += end_of(column, first[at]) - end_of(column, first[at] - 1);
    }
    PyObject *found = PyBytes_FromStringAndSize(NULL, size);
    if (found == NULL) {
        return NULL;
    }
    char *out = PyBytes_AS_STRING(found);
    memcpy(out, "\x82\xa2of", 4);
    out = put_head(out + 4, distinct);
    for (Py_ssize_t at = 0; at < distinct; at++) {
        Py_ssize_t begin = end_of(column, first[at] - 1), bytes = end_of(column, first[at]) - begin;
        memcpy(out, column->cells.data + begin, bytes);
        out += bytes;
    }
    memcpy(out, "\xa2" "at", 3);
    out += 3;
    int wide = column->count <= 0xFF ? 0 : column->count <= 0xFFFF ? 1 : 2;
    *out++ = (char)(0xC4 + wide);
    out = put_big(out, (uint64_t)column->count, 1 << wide);
    memcpy(out, which, column->count);
    _PyBytes_Resize(&found, out + column->count - PyBytes_AS_STRING(found));
    return found;
}

/* a column of texts: an array, or where there are few a map; a list where this is not known here */
static PyObject *
texts_of(const Cells *column, Bytes *scratch)
{
    const char *cells = column->cells.data;
    Py_ssize_t first[MANY], one = end_of(column, 0), distinct;
    scratch->size = 0;
    if (grow(scratch, column->count) < 0) {
        return NULL;
    }
    unsigned char *which = (unsigned char *)scratch->data;
    if (is_one(cells, column->cells.size, one, column->count) ||
        distinct_of(column, column->count < LOOK ? column->count : LOOK, first, FEW, which) < 0) {
        return array_of(cells, column->cells.size, one, column->count);
    }
    distinct = distinct_of(column, column->count, first, MANY, which);
    if (distinct < 0) {
        return list_of(column);
    }
    return 2 * distinct > column->count ? array_of(cells, column->cells.size, one, column->count)
                                        : choice_of(column, first, distinct, which);
}

/* the same as an array, whatever it holds: so exact numbers stand */
static PyObject *
numbers_of(const Cells *column)
{
    return array_of(column->cells.data, column->cells.size, end_of(column, 0), column->count);
}

/* a column of whole numbers, each `step` apart */
static PyObject *
ints_of(const int64_t *values, Py_ssize_t step, Py_ssize_t count, Bytes *scratch)
{
    scratch->size = 0;
    if (grow(scratch, 9 * count) < 0) {
        return NULL;
    }
    char *out = scratch->data, *first = NULL;
    for (Py_ssize_t at = 0; at < count; at++) {
        out = put_int(out, values[at * step]);
        first = first == NULL ? out : first;
    }
    return array_of(scratch->data, out - scratch->data, first - scratch->data, count);
}

static PyObject *
reals_of(const double *values, Py_ssize_t step, Py_ssize_t count, Bytes *scratch)
{
    scratch->size = 0;
    if (grow(scratch, 9 * count) < 0) {
        return NULL;
    }
    char *out = scratch->data, *first = NULL;
    for (Py_ssize_t at = 0; at < count; at++) {
        out = put_real(out, values[at * step]);
        first = first == NULL ? out : first;
    }
    return array_of(scratch->data, out - scratch->data, first - scratch->data, count);
}

#endif
