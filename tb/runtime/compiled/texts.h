/* Texts of numbers as cells: what `str` says of them. */
#ifndef TB_TEXTS_H
#define TB_TEXTS_H
#include "cells.h"

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

#endif
