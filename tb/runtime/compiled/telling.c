/* Teller: what is told of decisions, kept as columns of MessagePack while they come (`tb.runtime.promised`).

   1. `tell` (`tell.h`) takes what is of one decision alone. Numbers are kept as they lie in memory, texts of exact numbers as
      cells, and what many decisions share as it is.
   2. `cut` (`cut.h`) gives all that was told as columns, and lets go of it.

   A column is the bytes of an array where its form is plain: one cell for all where all have the same bytes, else each cell.
   Text with few values is a map of these and of the number of each cell's. Where neither is sure a column is a list.

   INVARIANT: the same columns as `tb.runtime.told.Plain` gives, cell for cell. What fails has told nothing.
*/
#include "cut.h"
#include "tell.h"

#define FORM 2 /* of what it is given and gives: `tb.runtime.told` asks for one, and takes no other */

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
        TOLD_ == NULL || TERMS_ == NULL || TEXTS_ == NULL || PyModule_AddObjectRef(found, "Teller", teller) < 0 ||
        PyModule_AddIntMacro(found, WIDEST) < 0 || PyModule_AddIntMacro(found, FORM) < 0) {
        Py_CLEAR(found);
    }
    Py_XDECREF(teller);
    return found;
}
