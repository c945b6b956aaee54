/* What a teller has, how it begins and ends, and how it lets go of what it was told. */
#ifndef TB_TELLER_H
#define TB_TELLER_H
#include "cells.h"

#define UNKNOWN INT64_MIN
#define WIDEST 128 /* columns of texts, of the account and of terms at most */
#define MOST (1 << 24) /* of each kind of the others: so many bytes are counted without overflow */

enum { INSTRUMENT, SIDE, SAID, CONFIDENCE, REASON, AGES, ROWS, SHARED }; /* objects, before words and others */

typedef struct {
    PyObject_HEAD
    PyObject *promised, *said, *passed, *sure, *levels; /* what `tell` gives; for those not sure; names of more texts */
    Py_ssize_t numbers, words, whole, market, others, account, terms, reals; /* how many of each */
    Py_ssize_t proposed;                                                   /* the place of the quantity among texts */
    Py_ssize_t count, entries;                                        /* decisions told, and entries that differ */
    PyObject *entry;                                                  /* the last one */
    int is_busy;                                                      /* what runs while it tells or cuts may do neither */
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
    Py_ssize_t least = Py_MIN(Py_MIN(numbers, words), Py_MIN(whole, Py_MIN(market, Py_MIN(others, reals))));
    Py_ssize_t most = Py_MAX(Py_MAX(numbers, words), Py_MAX(whole, Py_MAX(market, Py_MAX(others, reals))));
    if (least < 0 || most > MOST || account < 0 || numbers + PyTuple_GET_SIZE(levels) > WIDEST || account > WIDEST || terms < 0 || terms > WIDEST || proposed < 0 ||
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
    Py_CLEAR(self->promised); /* first: from now on nothing is told */
    forget(self);
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

#endif
