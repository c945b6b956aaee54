/* Filler: writes what was read of an order as the floats that the kernel takes (`tb.gate.leaves_source`).

   `fill` takes so many exact numbers, so many words, then whole numbers and market values. It writes a float for each into the
   buffer, in this order, and returns the texts of the exact numbers in one text, `[1,0.5,None]`. What is nothing is NaN, a word
   that is known 0.

   INVARIANT: a float is the one nearest to its number, as `float` gives it. What is not plain (a type that is none of these, a
   number that is not finite or does not fit) is refused: it returns None, and the caller reads it in Python.
*/
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define FORM 1     /* of what it is given and gives: `tb.gate.reading` asks for one, and takes no other */
#define LONGEST 64 /* bytes of a number's text; a longer one is refused */

typedef struct {
    PyObject_HEAD
    Py_buffer buffer;
    Py_ssize_t numbers, words, count; /* `count` is of all that it takes */
} Filler;

static PyTypeObject *Decimal; /* decimal.Decimal */

/* The float nearest to a number that `str` wrote; -1 where it is none. A whole number below 2**53 over a power of ten up to 22 is
   exact on both sides, and so rounded once. */
static int
float_of(const char *text, Py_ssize_t size, double *out)
{
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = text, *end = text + size;
    int is_negative = at < end && *at == '-', decimals = -1;
    uint64_t whole = 0;
    at += is_negative;
    Py_ssize_t digits = 0;
    for (; at < end; at++) {
        if (*at == '.' && decimals < 0) {
            decimals = 0;
        }
        else if (*at >= '0' && *at <= '9' && whole < (UINT64_C(1) << 53) / 10) {
            whole = 10 * whole + (uint64_t)(*at - '0');
            decimals += decimals >= 0;
            digits++;
        }
        else {
            break;
        }
    }
    if (at == end && digits && decimals <= 22) {
        double value = (double)whole / POWERS[decimals < 0 ? 0 : decimals];
        *out = is_negative ? -value : value;
        return 0;
    }
    char terminated[LONGEST + 1];
    memcpy(terminated, text, size);
    terminated[size] = 0;
    *out = PyOS_string_to_double(terminated, NULL, NULL);
    if (*out == -1.0 && PyErr_Occurred()) {
        PyErr_Clear(); /* it is no number, or has more digits than a float's text may */
        return -1;
    }
    return isfinite(*out) ? 0 : -1;
}

static int
Filler_init(Filler *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"buffer", "numbers", "words", "others", NULL};
    PyObject *buffer;
    Py_ssize_t numbers, words, others;
    if (self->buffer.obj != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "a filler is made once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Onnn", names, &buffer, &numbers, &words, &others)) {
        return -1;
    }
    if (PyObject_GetBuffer(buffer, &self->buffer, PyBUF_WRITABLE) < 0) {
        return -1;
    }
    Py_ssize_t room = self->buffer.len / (Py_ssize_t)sizeof(double);
    if (numbers < 0 || words < 0 || others < 0 || numbers > room || words > room || others > room ||
        numbers + words + others > room || numbers > 64 || (uintptr_t)self->buffer.buf % sizeof(double)) {
        PyErr_SetString(PyExc_ValueError, "there is no room for so many floats");
        PyBuffer_Release(&self->buffer);
        return -1;
    }
    self->numbers = numbers;
    self->words = words;
    self->count = numbers + words + others;
    return 0;
}

static void
Filler_dealloc(Filler *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyBuffer_Release(&self->buffer);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* the texts of exact numbers, and their floats; how long they are, -1 where one is not plain, -2 for an error */
static Py_ssize_t
put_numbers(PyObject *const *given, Py_ssize_t count, char *text, double *out)
{
    char *end = text;
    for (Py_ssize_t at = 0; at < count; at++) {
        *end++ = at ? ',' : '[';
        if (given[at] == Py_None) {
            memcpy(end, "None", 4);
            end += 4;
            out[at] = NAN;
            continue;
        }
        if (!Py_IS_TYPE(given[at], Decimal)) {
            return -1;
        }
        PyObject *told = PyObject_Str(given[at]);
        Py_ssize_t size;
        const char *digits = told == NULL ? NULL : PyUnicode_AsUTF8AndSize(told, &size);
        if (digits == NULL) {
            Py_XDECREF(told);
            return -2;
        }
        int done = size > LONGEST ? -1 : float_of(digits, size, &out[at]);
        if (done == 0) {
            memcpy(end, digits, size);
            end += size;
        }
        Py_DECREF(told);
        if (done < 0) {
            return -1;
        }
    }
    *end++ = ']';
    return end - text;
}

static PyObject *
Filler_fill(Filler *self, PyObject *const *given, Py_ssize_t count)
{
    if (count != self->count) {
        PyErr_Format(PyExc_TypeError, "%zd values are filled in, not %zd", self->count, count);
        return NULL;
    }
    char text[64 * (LONGEST + 1) + 2];
    double *out = self->buffer.buf;
    text[0] = '[';
    Py_ssize_t size = put_numbers(given, self->numbers, text + (self->numbers == 0), out), at = self->numbers;
    if (size < 0) {
        return size == -2 ? NULL : Py_NewRef(Py_None);
    }
    for (; at < self->numbers + self->words; at++) {
        out[at] = given[at] == Py_None ? NAN : 0.0;
    }
    for (; at < count; at++) {
        if (PyFloat_CheckExact(given[at])) {
            out[at] = PyFloat_AS_DOUBLE(given[at]);
        }
        else if (given[at] == Py_None) {
            out[at] = NAN;
        }
        else if (PyLong_CheckExact(given[at])) {
            out[at] = PyLong_AsDouble(given[at]);
            if (out[at] == -1.0 && PyErr_Occurred()) {
                PyErr_Clear();
                Py_RETURN_NONE;
            }
        }
        else {
            Py_RETURN_NONE;
        }
    }
    return PyUnicode_FromStringAndSize(text, size + (self->numbers == 0));
}

static PyMethodDef Filler_methods[] = {
    {"fill", (PyCFunction)(void (*)(void))Filler_fill, METH_FASTCALL,
     "exact numbers, words, then whole numbers and market values; the texts of the first, or None for what is not plain"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Filler_slots[] = {
    {Py_tp_doc, "Writes floats for the kernel."},
    {Py_tp_init, Filler_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_dealloc, Filler_dealloc},
    {Py_tp_methods, Filler_methods},
    {0, NULL},
};

static PyType_Spec Filler_spec = {
    .name = "tb.gate.filling.Filler",
    .basicsize = sizeof(Filler),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Filler_slots,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "tb.gate.filling", .m_size = -1};

PyMODINIT_FUNC
PyInit_filling(void)
{
    PyObject *found = PyModule_Create(&module), *decimal = PyImport_ImportModule("decimal");
    PyObject *filler = PyType_FromSpec(&Filler_spec);
    Decimal = decimal == NULL ? NULL : (PyTypeObject *)PyObject_GetAttrString(decimal, "Decimal");
    Py_XDECREF(decimal);
    if (found == NULL || filler == NULL || Decimal == NULL || PyModule_AddObjectRef(found, "Filler", filler) < 0 ||
        PyModule_AddIntMacro(found, FORM) < 0) {
        Py_CLEAR(found);
    }
    Py_XDECREF(filler);
    return found;
}
