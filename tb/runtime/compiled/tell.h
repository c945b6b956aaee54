/* `tell`: what is of one decision goes to the ends of the columns, all of it, or nothing. */
#ifndef TB_TELL_H
#define TB_TELL_H
#include "teller.h"
#include "texts.h"

static int
int_of(PyObject *value, int64_t *out)
{
    *out = PyLong_AsLongLong(value);
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

/* a whole number, or that there is none, in `out` */
static int
whole_of(PyObject *value, int64_t *out)
{
    if (value == Py_None) {
        *out = UNKNOWN;
        return 0;
    }
    if (int_of(value, out) == 0 && *out != UNKNOWN) {
        return 0;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_OverflowError, "the least whole number of 64 bits stands for none");
    }
    return -1;
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
    if (int_of(given[0], &ints[0]) < 0 || int_of(given[1], &ints[1]) < 0 || int_of(given[3], &ints[2]) < 0) {
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
    if (out[SAID] == NULL || (out[INSTRUMENT] = PyObject_GetAttr(order, INSTRUMENT_)) == NULL ||
        (out[SIDE] = PyObject_GetAttr(order, SIGN_)) == NULL || (out[CONFIDENCE] = PyObject_GetAttr(order, CONFIDENCE_)) == NULL) {
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
    if (self->promised == NULL || self->is_busy) {
        PyErr_SetString(PyExc_RuntimeError, "a decision is told while another is, or while what was told is cut");
        return NULL;
    }
    if (make_room(self) < 0) {
        return NULL;
    }
    self->is_busy = 1;
    int done = tell(self, given);
    self->is_busy = 0;
    return done < 0 ? NULL : Py_NewRef(self->promised);
}

#endif
