/* `cut`: what was told as columns of MessagePack, or as lists where the ledger has to look for their form. */
#ifndef TB_CUT_H
#define TB_CUT_H
#include "teller.h"
#include "texts.h"

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
            text = PyUnicode_CheckExact(one) ? PyUnicode_AsUTF8AndSize(one, &size) : NULL;
            if (text == NULL) { /* no plain text, or one that is none: for others to say */
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

/* all of it, none of which is let go of; NULL where any cannot be made */
static PyObject *
made(Teller *self)
{
    Py_ssize_t texts = self->numbers + PyTuple_GET_SIZE(self->levels);
    struct {
        Py_ssize_t count;
        Column column;
    } kinds[] = {
        {3, ints_column},
        {texts, texts_column},
        {self->whole, wholes_column},
        {self->market, read_column},
        {self->reals, values_column},
        {self->account, account_column},
        {self->terms, terms_column},
        {SHARED, shared_column},
        {self->words, words_column},
        {self->others, others_column},
        {texts, numbers_column},
    };
    Py_ssize_t many = sizeof kinds / sizeof *kinds;
    PyObject *found = PyTuple_New(2 + many + 1), *one = found == NULL ? NULL : PyLong_FromSsize_t(self->count);
    for (Py_ssize_t at = 0; one != NULL; at++) {
        PyTuple_SET_ITEM(found, at, one);
        if (at == many + 2) {
            return found;
        }
        one = !at            ? PyBytes_FromStringAndSize(self->ints.data, self->count * 3 * 8)
              : at <= many ? columns_of(self, kinds[at - 1].count, kinds[at - 1].column)
                           : numbers_of(&self->approved);
    }
    Py_XDECREF(found);
    return NULL;
}

static PyObject *
Teller_cut(Teller *self, PyObject *Py_UNUSED(none))
{
    if (self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "a decision is told yet, or what was told is cut");
        return NULL;
    }
    if (!self->count) {
        return PyTuple_New(0);
    }
    self->is_busy = 1; /* making objects may collect others, and that runs any code */
    PyObject *found = made(self);
    self->is_busy = 0;
    if (found != NULL) {
        forget(self);
    }
    return found;
}

#endif
