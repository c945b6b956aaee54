/* Teller: what is told of decisions, kept as columns of MessagePack while they come (`tb.runtime.promised`).

   1. `tell` takes what is of one decision alone. Numbers are kept as they lie in memory, texts of exact numbers as cells, and
      what many decisions share as it is.
   2. `cut` gives all that was told as columns, and lets go of it.

   A column is the bytes of an array where its form is plain: one cell for all where all have the same bytes, else each cell.
   Text with few values is a map of these and of the number of each cell's. Where neither is sure a column is a list.

   INVARIANT: the same columns as `tb.runtime.promised.Kept` gives, cell for cell. What fails has told nothing.
*/
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LOOK 32 /* texts are looked at for distinct values this far */
#define FEW 8   /* and up to so many */
#define MANY 64 /* that differ, at most, are told apart here */
#define UNKNOWN INT64_MIN
#define WIDEST 64 /* columns of a kind at most */

/* --- bytes that grow ------------------------------------------------------------------------------------------------- */

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

/* --- columns ----------------------------------------------------------------------------------------------------------- */

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

/* --- texts of numbers -------------------------------------------------------------------------------------------------- */

static PyObject *Decimal; /* decimal.Decimal */

static int
put_whole(Cells *column, int64_t value)
{
    char text[24], *end = text + sizeof text, *at = end;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0) {
        *--at = '-';
    }
    return put_text(column, at, end - at);
}

/* What `str` says of the exact value of a float. Most have few decimals: a whole number of at most 15 digits over a power of
   ten that is the float again is its shortest text. */
static int
put_exact(Cells *column, double value)
{
    static const double POWERS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (!isfinite(value)) {
        return put_nothing(column);
    }
    double size = fabs(value);
    if (size >= 1e-3 && size < 1e9) {
        for (int decimals = 1; decimals < 10; decimals++) {
            double whole = rint(size * POWERS[decimals]);
            if (whole >= 1e15) {
                break;
            }
            if (whole / POWERS[decimals] == size) {
                char text[32], *end = text + sizeof text, *at = end;
                int64_t left = (int64_t)whole;
                for (int digit = 0; digit < decimals; digit++, left /= 10) {
                    *--at = (char)('0' + left % 10);
                }
                *--at = '.';
                do {
                    *--at = (char)('0' + left % 10);
                    left /= 10;
                } while (left);
                if (value < 0) {
                    *--at = '-';
                }
                return put_text(column, at, end - at);
            }
        }
    }
    char *repr = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    if (repr == NULL) {
        return -1;
    }
    int done;
    if (strchr(repr, 'e') == NULL) {
        done = put_text(column, repr, (Py_ssize_t)strlen(repr));
    }
    else {
        PyObject *number = PyObject_CallFunction(Decimal, "s", repr), *text = number == NULL ? NULL : PyObject_Str(number);
        Py_ssize_t length;
        const char *told = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
        done = told == NULL ? -1 : put_text(column, told, length);
        Py_XDECREF(text);
        Py_XDECREF(number);
    }
    PyMem_Free(repr);
    return done;
}

/* Texts that stand in one, with commas between, a cell in each column; `None` is nothing. */
static int
put_texts(Cells *columns, Py_ssize_t wide, const char *text, Py_ssize_t size)
{
    const char *end = text + size;
    for (Py_ssize_t at = 0; at < wide; at++) {
        const char *comma = memchr(text, ',', end - text), *until = comma == NULL ? end : comma;
        if (text > end || (comma == NULL) != (at == wide - 1)) {
            PyErr_Format(PyExc_ValueError, "not %zd texts with commas between them", wide);
            return -1;
        }
        int is_nothing = until - text == 4 && !memcmp(text, "None", 4);
        if ((is_nothing ? put_nothing(&columns[at]) : put_text(&columns[at], text, until - text)) < 0) {
            return -1;
        }
        text = until + 1;
    }
    return 0;
}

/* --- the teller -------------------------------------------------------------------------------------------------------- */

enum { INSTRUMENT, SIDE, SAID, CONFIDENCE, REASON, AGES, ROWS, SHARED }; /* objects, before words and others */

typedef struct {
    PyObject_HEAD
    PyObject *promised, *said, *passed, *sure, *levels; /* what `tell` gives; for those not sure; names of more texts */
    Py_ssize_t numbers, words, whole, market, others, account, terms, reals; /* how many of each */
    Py_ssize_t proposed;                                                   /* the place of the quantity among texts */
    Py_ssize_t count, entries;                                        /* decisions told, and entries that differ */
    PyObject *entry;                                                  /* the last one */
    int is_telling;                                                   /* what is asked on the way may not tell or cut */
    Bytes ints, wholes, read, values;                                 /* three, `whole`, `market` and `reals` of a decision */
    Bytes objects, which;                                             /* those that are shared, words, others; entry of each */
    Bytes known, of_entry; /* what differs of terms, and which each entry has */
    Bytes scratch;
    Cells texts[WIDEST], of_account[WIDEST], of_terms[WIDEST], approved, one;
} Teller;

static PyObject *INSTRUMENT_, *SIGN_, *CONFIDENCE_, *TOLD_, *TERMS_, *TEXTS_; /* names of attributes */

static Py_ssize_t
wide(const Teller *self)
{
    return SHARED + self->words + self->others;
}

static void
forget(Teller *self)
{
    Bytes objects = self->objects, known = self->known; /* nobody else's while they go: that may run any code */
    Py_ssize_t count = self->count * wide(self);
    memset(&self->objects, 0, sizeof self->objects);
    memset(&self->known, 0, sizeof self->known);
    self->count = self->entries = 0;
    self->ints.size = self->wholes.size = self->read.size = self->values.size = self->which.size = 0;
    for (int at = 0; at < WIDEST; at++) {
        cut_back(&self->texts[at], 0);
        cut_back(&self->of_account[at], 0);
        cut_back(&self->of_terms[at], 0);
    }
    cut_back(&self->approved, 0);
    self->of_entry.size = 0;
    Py_CLEAR(self->entry);
    for (Py_ssize_t at = 0; at < count; at++) {
        Py_DECREF(((PyObject **)objects.data)[at]);
    }
    for (Py_ssize_t at = 0; at < known.size / (Py_ssize_t)sizeof(PyObject *); at++) {
        Py_DECREF(((PyObject **)known.data)[at]);
    }
    release(&known);
    if (self->objects.data == NULL) {
        objects.size = 0;
        self->objects = objects;
    }
    else {
        release(&objects);
    }
}

static int
Teller_init(Teller *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"promised", "said",   "passed", "sure",    "levels", "numbers", "words",
                            "whole",    "market", "others", "account", "terms",  "reals",    "proposed", NULL};
    PyObject *promised, *said, *passed, *sure, *levels;
    Py_ssize_t numbers, words, whole, market, others, account, terms, reals, proposed;
    if (self->promised != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a teller is made once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOOOO!nnnnnnnnn", names, &promised, &said, &passed, &sure, &PyTuple_Type,
                                     &levels, &numbers, &words, &whole, &market, &others, &account, &terms, &reals, &proposed)) {
        return -1;
    }
    if (numbers < 0 || words < 0 || whole < 0 || market < 0 || others < 0 || account < 0 || reals < 0 ||
        numbers + PyTuple_GET_SIZE(levels) > WIDEST || account > WIDEST || terms < 0 || terms > WIDEST || proposed < 0 ||
        proposed >= numbers + PyTuple_GET_SIZE(levels)) {
        PyErr_Format(PyExc_ValueError, "a teller takes up to %d numbers of an order, and of an account", WIDEST);
        return -1;
    }
    self->promised = Py_NewRef(promised);
    self->said = Py_NewRef(said);
    self->passed = Py_NewRef(passed);
    self->sure = Py_NewRef(sure);
    self->levels = Py_NewRef(levels);
    self->numbers = numbers, self->words = words, self->whole = whole, self->market = market, self->others = others;
    self->account = account, self->terms = terms, self->reals = reals, self->proposed = proposed;
    return 0;
}

static int
Teller_traverse(Teller *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->promised);
    Py_VISIT(self->said);
    Py_VISIT(self->passed);
    Py_VISIT(self->sure);
    Py_VISIT(self->levels);
    Py_VISIT(self->entry);
    for (Py_ssize_t at = 0; at < self->known.size / (Py_ssize_t)sizeof(PyObject *); at++) {
        Py_VISIT(((PyObject **)self->known.data)[at]);
    }
    PyObject **objects = (PyObject **)self->objects.data;
    for (Py_ssize_t at = 0; at < self->count * wide(self); at++) {
        Py_VISIT(objects[at]);
    }
    return 0;
}

static int
Teller_clear(Teller *self)
{
    forget(self);
    Py_CLEAR(self->promised);
    Py_CLEAR(self->said);
    Py_CLEAR(self->passed);
    Py_CLEAR(self->sure);
    Py_CLEAR(self->levels);
    return 0;
}

static void
Teller_dealloc(Teller *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Teller_clear(self);
    Bytes *all[] = {&self->ints, &self->wholes, &self->read, &self->values, &self->objects, &self->which,  &self->known, &self->of_entry, &self->scratch};
    for (size_t at = 0; at < sizeof all / sizeof *all; at++) {
        release(all[at]);
    }
    for (int at = 0; at < WIDEST; at++) {
        release(&self->texts[at].cells);
        release(&self->texts[at].ends);
        release(&self->of_account[at].cells);
        release(&self->of_account[at].ends);
        release(&self->of_terms[at].cells);
        release(&self->of_terms[at].ends);
    }
    release(&self->one.cells);
    release(&self->one.ends);
    release(&self->approved.cells);
    release(&self->approved.ends);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* a whole number, or that there is none, in `out` */
static int
whole_of(PyObject *value, int64_t *out)
{
    if (value == Py_None) {
        *out = UNKNOWN;
        return 0;
    }
    *out = PyLong_AsLongLong(value);
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

static int
real_of(PyObject *value, double *out)
{
    if (PyFloat_CheckExact(value)) {
        *out = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    if (value == Py_None) {
        *out = NAN;
        return 0;
    }
    *out = PyFloat_AsDouble(value);
    return *out == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* The texts of the order's numbers, which stand in brackets, and of its levels beyond these. */
static int
tell_texts(Teller *self, PyObject *told, PyObject *order)
{
    Py_ssize_t size;
    const char *text = PyUnicode_Check(told) ? PyUnicode_AsUTF8AndSize(told, &size) : NULL;
    if (text == NULL || size < 2) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "texts of numbers stand in one, in brackets");
        }
        return -1;
    }
    if (self->numbers && put_texts(self->texts, self->numbers, text + 1, size - 2) < 0) {
        return -1;
    }
    for (Py_ssize_t at = 0; at < PyTuple_GET_SIZE(self->levels); at++) {
        PyObject *level = PyObject_GetAttr(order, PyTuple_GET_ITEM(self->levels, at));
        PyObject *said = level == NULL ? NULL : PyObject_Str(level);
        text = said == NULL ? NULL : PyUnicode_AsUTF8AndSize(said, &size);
        int done = text == NULL ? -1 : put_texts(&self->texts[self->numbers + at], 1, text, size);
        Py_XDECREF(level);
        Py_XDECREF(said);
        if (done < 0) {
            return -1;
        }
    }
    return 0;
}

/* The quantity that was approved: mostly the one proposed. */
static int
tell_approved(Teller *self, PyObject *said)
{
    PyObject *quantity = PyTuple_Check(said) && PyTuple_GET_SIZE(said) ? PyTuple_GET_ITEM(said, PyTuple_GET_SIZE(said) - 1) : NULL;
    if (quantity == Py_None) {
        const Cells *proposed = &self->texts[self->proposed];
        Py_ssize_t begin = end_of(proposed, self->count - 1), size = end_of(proposed, self->count) - begin;
        char *out = room_for(&self->approved, size);
        if (out == NULL) {
            return -1;
        }
        memcpy(out, proposed->cells.data + begin, size);
        end_cell(&self->approved, out + size);
        return 0;
    }
    Py_ssize_t size;
    const char *text = quantity != NULL && PyUnicode_Check(quantity) ? PyUnicode_AsUTF8AndSize(quantity, &size) : NULL;
    if (text == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "what was said ends with a quantity");
        }
        return -1;
    }
    return put_text(&self->approved, text, size);
}

/* What texts say of terms, a cell in each column; their number among those that differ, -1 for an error. */
static int64_t
tell_terms(Teller *self, PyObject *terms)
{
    Py_ssize_t count = self->known.size / (Py_ssize_t)sizeof(PyObject *);
    for (Py_ssize_t at = count - 1; at >= 0; at--) {
        if (((PyObject **)self->known.data)[at] == terms) {
            return at;
        }
    }
    PyObject *texts = PyObject_GetAttr(terms, TEXTS_);
    if (texts != NULL && (!PyList_Check(texts) || PyList_GET_SIZE(texts) != self->terms)) {
        PyErr_SetString(PyExc_ValueError, "terms of another shape");
        Py_CLEAR(texts);
    }
    if (texts == NULL || grow(&self->known, sizeof(PyObject *)) < 0) {
        Py_XDECREF(texts);
        return -1;
    }
    for (Py_ssize_t at = 0; at < self->terms; at++) {
        PyObject *one = PyList_GET_ITEM(texts, at);
        Py_ssize_t size;
        const char *text = one == Py_None ? NULL : PyUnicode_AsUTF8AndSize(one, &size);
        if ((text == NULL && one != Py_None) ||
            (text == NULL ? put_nothing(&self->of_terms[at]) : put_text(&self->of_terms[at], text, size)) < 0) {
            for (Py_ssize_t done = 0; done <= at; done++) {
                cut_back(&self->of_terms[done], count);
            }
            Py_DECREF(texts);
            return -1;
        }
    }
    Py_DECREF(texts);
    ((PyObject **)self->known.data)[count] = Py_NewRef(terms);
    self->known.size += sizeof(PyObject *);
    return count;
}

/* What the entry says, which is mostly that of the decision before. */
static int
tell_entry(Teller *self, PyObject *entry)
{
    if (entry == self->entry) {
        return 0;
    }
    if (grow(&self->of_entry, 8) < 0) {
        return -1;
    }
    PyObject *terms = PyObject_GetAttr(entry, TERMS_), *told = terms == NULL ? NULL : PyObject_GetAttr(entry, TOLD_);
    int64_t which = told == NULL ? -1 : tell_terms(self, terms);
    Py_ssize_t size;
    const char *text = which < 0 ? NULL : PyUnicode_AsUTF8AndSize(told, &size);
    int done = text == NULL ? -1 : self->account ? put_texts(self->of_account, self->account, text, size) : 0;
    Py_XDECREF(terms);
    Py_XDECREF(told);
    if (done < 0) {
        return -1;
    }
    ((int64_t *)self->of_entry.data)[self->entries++] = which;
    self->of_entry.size += 8;
    Py_XSETREF(self->entry, Py_NewRef(entry));
    return 0;
}

/* all of a decision but its objects, into the places after those told before */
static int
tell_numbers(Teller *self, PyObject *const *given, PyObject *const *raw, PyObject *market)
{
    int64_t *ints = (int64_t *)(self->ints.data + self->ints.size);
    int64_t *wholes = (int64_t *)(self->wholes.data + self->wholes.size);
    double *read = (double *)(self->read.data + self->read.size), *values = (double *)(self->values.data + self->values.size);
    if (whole_of(given[0], &ints[0]) < 0 || whole_of(given[1], &ints[1]) < 0 || whole_of(given[3], &ints[2]) < 0) {
        return -1;
    }
    for (Py_ssize_t at = 0; at < self->whole; at++) {
        if (whole_of(raw[self->numbers + self->words + at], &wholes[at]) < 0) {
            return -1;
        }
    }
    for (Py_ssize_t at = 0; at < self->market; at++) {
        if (real_of(raw[self->numbers + self->words + self->whole + at], &read[at]) < 0) {
            return -1;
        }
    }
    for (Py_ssize_t at = 0; at < self->reals; at++) {
        if (real_of(PyTuple_GET_ITEM(market, at), &values[at]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What is shared, words and others; these are new references. */
static int
tell_objects(Teller *self, PyObject *const *given, PyObject *const *raw, PyObject **out)
{
    PyObject *order = given[2], *told = raw[self->numbers + self->words + self->whole + self->market + self->others + 2];
    for (int at = 0; at < SHARED; at++) {
        out[at] = NULL;
    }
    out[SAID] = told == self->sure ? Py_NewRef(self->passed) : PyObject_CallFunctionObjArgs(self->said, given[4], order, NULL);
    out[INSTRUMENT] = PyObject_GetAttr(order, INSTRUMENT_);
    out[SIDE] = PyObject_GetAttr(order, SIGN_);
    out[CONFIDENCE] = PyObject_GetAttr(order, CONFIDENCE_);
    if (out[SAID] == NULL || out[INSTRUMENT] == NULL || out[SIDE] == NULL || out[CONFIDENCE] == NULL) {
        for (int at = 0; at < SHARED; at++) {
            Py_CLEAR(out[at]);
        }
        return -1;
    }
    out[REASON] = Py_NewRef(given[6]);
    out[AGES] = Py_NewRef(given[8]);
    out[ROWS] = Py_NewRef(given[9]);
    PyObject **rest = out + SHARED;
    for (Py_ssize_t at = 0; at < self->words; at++) {
        *rest++ = Py_NewRef(raw[self->numbers + at]);
    }
    for (Py_ssize_t at = 0; at < self->others; at++) {
        *rest++ = Py_NewRef(raw[self->numbers + self->words + self->whole + self->market + at]);
    }
    return 0;
}

/* Room for one decision in all that is kept as it lies in memory. */
static int
make_room(Teller *self)
{
    return grow(&self->ints, 3 * 8) < 0 || grow(&self->wholes, self->whole * 8) < 0 || grow(&self->read, self->market * 8) < 0 ||
                   grow(&self->values, self->reals * 8) < 0 || grow(&self->which, 8) < 0 ||
                   grow(&self->objects, wide(self) * (Py_ssize_t)sizeof(PyObject *)) < 0
               ? -1
               : 0;
}

/* The next decision; all of it, or nothing. */
static int
tell(Teller *self, PyObject *const *given)
{
    PyObject *const *raw = ((PyTupleObject *)given[5])->ob_item;
    Py_ssize_t before = self->numbers + self->words + self->whole + self->market + self->others;
    PyObject **out = (PyObject **)(self->objects.data + self->objects.size);
    if (tell_numbers(self, given, raw, given[7]) < 0 || tell_objects(self, given, raw, out) < 0) {
        return -1;
    }
    if (tell_texts(self, raw[before], given[2]) < 0 || tell_approved(self, out[SAID]) < 0 ||
        tell_entry(self, raw[before + 1]) < 0) {
        for (Py_ssize_t at = 0; at < wide(self); at++) {
            Py_DECREF(out[at]);
        }
        for (int at = 0; at < WIDEST; at++) {
            cut_back(&self->texts[at], at < self->numbers + PyTuple_GET_SIZE(self->levels) ? self->count : 0);
            cut_back(&self->of_account[at], at < self->account ? self->entries : 0);
        }
        cut_back(&self->approved, self->count);
        return -1;
    }
    *(int64_t *)(self->which.data + self->which.size) = self->entries - 1;
    self->ints.size += 3 * 8;
    self->wholes.size += self->whole * 8;
    self->read.size += self->market * 8;
    self->values.size += self->reals * 8;
    self->objects.size += wide(self) * (Py_ssize_t)sizeof(PyObject *);
    self->which.size += 8;
    self->count++;
    return 0;
}

static PyObject *
Teller_tell(Teller *self, PyObject *const *given, Py_ssize_t count)
{
    if (count != 10) {
        PyErr_Format(PyExc_TypeError, "a decision is told by 10 values, not %zd", count);
        return NULL;
    }
    Py_ssize_t read = self->numbers + self->words + self->whole + self->market + self->others + 3;
    if (!PyTuple_Check(given[5]) || PyTuple_GET_SIZE(given[5]) != read || !PyTuple_Check(given[7]) ||
        PyTuple_GET_SIZE(given[7]) != self->reals) {
        PyErr_SetString(PyExc_ValueError, "what was read of a decision has another shape");
        return NULL;
    }
    if (self->promised == NULL || self->is_telling) {
        PyErr_SetString(PyExc_RuntimeError, "a decision is told while another is");
        return NULL;
    }
    if (make_room(self) < 0) {
        return NULL;
    }
    self->is_telling = 1;
    int done = tell(self, given);
    self->is_telling = 0;
    return done < 0 ? NULL : Py_NewRef(self->promised);
}

/* --- what was told ----------------------------------------------------------------------------------------------------- */

/* a tuple of as many columns as `column` gives */
typedef PyObject *(*Column)(Teller *, Py_ssize_t);

static PyObject *
columns_of(Teller *self, Py_ssize_t count, Column column)
{
    PyObject *found = PyTuple_New(count);
    for (Py_ssize_t at = 0; found != NULL && at < count; at++) {
        PyObject *one = column(self, at);
        if (one == NULL) {
            Py_CLEAR(found);
            break;
        }
        PyTuple_SET_ITEM(found, at, one);
    }
    return found;
}

static PyObject *
ints_column(Teller *self, Py_ssize_t at)
{
    return ints_of((int64_t *)self->ints.data + at, 3, self->count, &self->scratch);
}

static PyObject *
texts_column(Teller *self, Py_ssize_t at)
{
    return texts_of(&self->texts[at], &self->scratch);
}

static PyObject *
numbers_column(Teller *self, Py_ssize_t at)
{
    return numbers_of(&self->texts[at]);
}

static PyObject *
wholes_column(Teller *self, Py_ssize_t at)
{
    cut_back(&self->one, 0);
    const int64_t *values = (int64_t *)self->wholes.data + at;
    for (Py_ssize_t row = 0; row < self->count; row++, values += self->whole) {
        if ((*values == UNKNOWN ? put_nothing(&self->one) : put_whole(&self->one, *values)) < 0) {
            return NULL;
        }
    }
    return texts_of(&self->one, &self->scratch);
}

static PyObject *
read_column(Teller *self, Py_ssize_t at)
{
    cut_back(&self->one, 0);
    const double *values = (double *)self->read.data + at;
    for (Py_ssize_t row = 0; row < self->count; row++, values += self->market) {
        if (put_exact(&self->one, *values) < 0) {
            return NULL;
        }
    }
    return texts_of(&self->one, &self->scratch);
}

static PyObject *
values_column(Teller *self, Py_ssize_t at)
{
    return reals_of((double *)self->values.data + at, self->reals, self->count, &self->scratch);
}

/* the cell of each decision from those that differ: `which` has the number of each, or of each entry's */
static PyObject *
gathered(Teller *self, const Cells *column, const int64_t *of_entry)
{
    const int64_t *which = (int64_t *)self->which.data;
    cut_back(&self->one, 0);
    if (column->count == 1) { /* one text for all */
        return array_of(column->cells.data, column->cells.size, column->cells.size, 1);
    }
    for (Py_ssize_t row = 0; row < self->count; row++) {
        int64_t one = of_entry == NULL ? which[row] : of_entry[which[row]];
        Py_ssize_t begin = end_of(column, one - 1), size = end_of(column, one) - begin;
        char *out = room_for(&self->one, size);
        if (out == NULL) {
            return NULL;
        }
        memcpy(out, column->cells.data + begin, size);
        end_cell(&self->one, out + size);
    }
    return texts_of(&self->one, &self->scratch);
}

static PyObject *
account_column(Teller *self, Py_ssize_t at)
{
    return gathered(self, &self->of_account[at], NULL);
}

static PyObject *
terms_column(Teller *self, Py_ssize_t at)
{
    return gathered(self, &self->of_terms[at], (int64_t *)self->of_entry.data);
}

/* a list; of one where it is the same throughout */
static PyObject *
objects_column(Teller *self, Py_ssize_t at)
{
    PyObject **objects = (PyObject **)self->objects.data + at;
    Py_ssize_t same = 1;
    while (same < self->count && objects[same * wide(self)] == objects[0]) {
        same++;
    }
    if (same == self->count) {
        PyObject *one = PyList_New(1);
        if (one != NULL) {
            PyList_SET_ITEM(one, 0, Py_NewRef(objects[0]));
        }
        return one;
    }
    PyObject *found = PyList_New(self->count);
    for (Py_ssize_t row = 0; found != NULL && row < self->count; row++, objects += wide(self)) {
        PyList_SET_ITEM(found, row, Py_NewRef(*objects));
    }
    return found;
}

/* whether an object is a tuple of so many whole numbers, which go to `out`; those that are one object are looked at once */
static int
is_of_wholes(PyObject *one, Py_ssize_t width, int64_t *out)
{
    if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) != width) {
        return 0;
    }
    for (Py_ssize_t at = 0; at < width; at++) {
        PyObject *cell = PyTuple_GET_ITEM(one, at);
        if (at && cell == PyTuple_GET_ITEM(one, at - 1)) {
            out[at] = out[at - 1];
            continue;
        }
        int overflow = 1;
        if (PyLong_CheckExact(cell)) {
            out[at] = PyLong_AsLongLongAndOverflow(cell, &overflow);
        }
        if (overflow) { /* or nothing, or no whole number */
            return 0;
        }
    }
    return 1;
}

/* Tuples of whole numbers: a tuple of a column for each place where they differ and all are as wide, else as other objects. */
static PyObject *
tuples_column(Teller *self, Py_ssize_t which)
{
    PyObject **objects = (PyObject **)self->objects.data + which;
    Py_ssize_t step = wide(self), count = self->count, same = 1;
    Py_ssize_t width = PyTuple_Check(objects[0]) ? PyTuple_GET_SIZE(objects[0]) : 0;
    while (same < count && objects[same * step] == objects[0]) {
        same++;
    }
    if (same == count || !width) {
        return objects_column(self, which);
    }
    self->scratch.size = 0;
    if (grow(&self->scratch, (width * 8 + 9) * count) < 0) { /* the numbers, then room for a column */
        return NULL;
    }
    int64_t *values = (int64_t *)self->scratch.data;
    for (Py_ssize_t row = 0; row < count; row++) {
        if (!is_of_wholes(objects[row * step], width, values + row * width)) {
            return objects_column(self, which);
        }
    }
    PyObject *found = PyTuple_New(width);
    for (Py_ssize_t at = 0; found != NULL && at < width; at++) {
        PyObject *column = NULL;
        Py_ssize_t row = at ? 0 : count; /* the same as the place before */
        while (row < count && values[row * width + at] == values[row * width + at - 1]) {
            row++;
        }
        if (at && row == count) {
            column = Py_NewRef(PyTuple_GET_ITEM(found, at - 1));
        }
        else {
            char *cells = (char *)(values + width * count), *end = cells, *one = NULL;
            for (row = 0; row < count; row++) {
                end = put_int(end, values[row * width + at]);
                one = one == NULL ? end : one;
            }
            column = array_of(cells, end - cells, one - cells, count);
        }
        if (column == NULL) {
            Py_CLEAR(found);
            break;
        }
        PyTuple_SET_ITEM(found, at, column);
    }
    return found;
}

/* Texts, of which each is mostly that of the decision before. */
static PyObject *
strings_column(Teller *self, Py_ssize_t which)
{
    PyObject **objects = (PyObject **)self->objects.data + which, *before = NULL;
    Py_ssize_t size = 0, step = wide(self);
    const char *text = NULL;
    cut_back(&self->one, 0);
    for (Py_ssize_t row = 0; row < self->count; row++) {
        PyObject *one = objects[row * step];
        if (one != before) {
            text = PyUnicode_Check(one) ? PyUnicode_AsUTF8AndSize(one, &size) : NULL;
            if (text == NULL) { /* no text, or one that is none: for others to say */
                PyErr_Clear();
                return objects_column(self, which);
            }
            before = one;
        }
        if (put_text(&self->one, text, size) < 0) {
            return NULL;
        }
    }
    return texts_of(&self->one, &self->scratch);
}

/* Places and what was said there, where it is not that all passed. */
static PyObject *
said_column(Teller *self)
{
    PyObject *places = PyList_New(0), *found = places == NULL ? NULL : PyList_New(0);
    PyObject **objects = (PyObject **)self->objects.data + SAID;
    for (Py_ssize_t row = 0; found != NULL && row < self->count; row++, objects += wide(self)) {
        if (*objects != self->passed) {
            PyObject *place = PyLong_FromSsize_t(row);
            if (place == NULL || PyList_Append(places, place) < 0 || PyList_Append(found, *objects) < 0) {
                Py_CLEAR(found);
            }
            Py_XDECREF(place);
        }
    }
    PyObject *pair = found == NULL ? NULL : PyTuple_Pack(2, places, found);
    Py_XDECREF(places);
    Py_XDECREF(found);
    return pair;
}

static PyObject *
shared_column(Teller *self, Py_ssize_t at)
{
    if (at == INSTRUMENT || at == REASON) {
        return strings_column(self, at);
    }
    if (at == SAID) {
        return said_column(self);
    }
    if (at == AGES || at == ROWS) {
        return tuples_column(self, at);
    }
    return objects_column(self, at);
}

static PyObject *
words_column(Teller *self, Py_ssize_t at)
{
    return objects_column(self, SHARED + at);
}

static PyObject *
others_column(Teller *self, Py_ssize_t at)
{
    return objects_column(self, SHARED + self->words + at);
}

static PyObject *
Teller_cut(Teller *self, PyObject *Py_UNUSED(none))
{
    if (self->is_telling) {
        PyErr_SetString(PyExc_RuntimeError, "a decision is told yet");
        return NULL;
    }
    if (!self->count) {
        return PyTuple_New(0);
    }
    PyObject *found = Py_BuildValue(
        "(nNNNNNNNNNNNNN)", self->count, PyBytes_FromStringAndSize(self->ints.data, self->count * 3 * 8),
        columns_of(self, 3, ints_column), columns_of(self, self->numbers + PyTuple_GET_SIZE(self->levels), texts_column),
        columns_of(self, self->whole, wholes_column), columns_of(self, self->market, read_column),
        columns_of(self, self->reals, values_column), columns_of(self, self->account, account_column),
        columns_of(self, self->terms, terms_column),
        columns_of(self, SHARED, shared_column), columns_of(self, self->words, words_column),
        columns_of(self, self->others, others_column), columns_of(self, self->numbers + PyTuple_GET_SIZE(self->levels), numbers_column), numbers_of(&self->approved));
    if (found != NULL) {
        forget(self);
    }
    return found;
}

static Py_ssize_t
Teller_length(Teller *self)
{
    return self->count;
}

static PyMethodDef Teller_methods[] = {
    {"tell", (PyCFunction)(void (*)(void))Teller_tell, METH_FASTCALL,
     "number, instant, proposal, row, judgement, what the gate read, reason, values, their ages and rows"},
    {"cut", (PyCFunction)Teller_cut, METH_NOARGS, "all that was told since it was last asked, as columns; it is let go of"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Teller_slots[] = {
    {Py_tp_doc, "What is told of decisions of one shape."},
    {Py_tp_init, Teller_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, Teller_dealloc},
    {Py_tp_traverse, Teller_traverse},
    {Py_tp_clear, Teller_clear},
    {Py_tp_methods, Teller_methods},
    {Py_sq_length, Teller_length},
    {0, NULL},
};

static PyType_Spec Teller_spec = {
    .name = "tb.runtime.telling.Teller",
    .basicsize = sizeof(Teller),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = Teller_slots,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "tb.runtime.telling", .m_size = -1};

PyMODINIT_FUNC
PyInit_telling(void)
{
    PyObject *found = PyModule_Create(&module), *decimal = PyImport_ImportModule("decimal");
    PyObject *teller = PyType_FromSpec(&Teller_spec);
    Decimal = decimal == NULL ? NULL : PyObject_GetAttrString(decimal, "Decimal");
    INSTRUMENT_ = PyUnicode_InternFromString("instrument");
    SIGN_ = PyUnicode_InternFromString("sign");
    CONFIDENCE_ = PyUnicode_InternFromString("confidence");
    TOLD_ = PyUnicode_InternFromString("told");
    TERMS_ = PyUnicode_InternFromString("terms");
    TEXTS_ = PyUnicode_InternFromString("texts");
    Py_XDECREF(decimal);
    if (found == NULL || teller == NULL || Decimal == NULL || INSTRUMENT_ == NULL || SIGN_ == NULL || CONFIDENCE_ == NULL ||
        TOLD_ == NULL || TERMS_ == NULL || TEXTS_ == NULL || PyModule_AddObjectRef(found, "Teller", teller) < 0) {
        Py_CLEAR(found);
    }
    Py_XDECREF(teller);
    return found;
}
