/* The two loops a poll spends its time in, compiled where there is a compiler (collectors/compiled.py).
 *
 * fill: the unsigned numbers of an answer, each where it must stand, into an array.
 * render: numbers into the lines of a text template.
 * Python has both as well (collectors/snmp/plan.py, collectors/prometheus.py), and says the same to the bit: that is
 * tested. Every octet of an answer is read below its end; nothing is kept of what is given, and nothing assumed of it.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define INTERFACE 2 /* what fill and render take; compiled.py refuses a core of another */
#define MOST_CELLS 1024
#define EXACT (1LL << 53) /* counters wrap here, see prometheus.EXACT */

/* One cell's value: 0 when it does not stand at *at as expected, else *at is behind it. */
static int number_at(const uint8_t *data, Py_ssize_t *at, Py_ssize_t end, const uint8_t *name, Py_ssize_t named,
                     long width, uint64_t *value) {
    Py_ssize_t start = *at;
    if (width < 1 || width > 8 || named + 2 + width > 127 || end - start < 2 + named + 1) return 0;
    const uint8_t *p = data + start;
    long size = p[2 + named];
    if (p[0] != 0x30 || p[1] != named + 1 + size || size < 1 || size > width + 1) return 0;
    if (end - start < 2 + named + 1 + size || memcmp(p + 2, name, named)) return 0;
    if (size > width && p[3 + named]) return 0; /* one octet more is the zero before a first bit that is set */
    uint64_t found = 0;
    for (const uint8_t *q = p + 3 + named; q < p + 3 + named + size; q++) found = found << 8 | *q;
    *value = found;
    *at = start + 3 + named + size;
    return 1;
}

/* The octets of an array("Q"): 0 and an error when it is none. */
static int numbers_of(PyObject *given, Py_buffer *numbers, int flags) {
    if (PyObject_GetBuffer(given, numbers, flags | PyBUF_FORMAT | PyBUF_ND) < 0) return 0;
    if (numbers->itemsize == 8 && numbers->format && !strcmp(numbers->format, "Q")) return 1;
    PyBuffer_Release(numbers);
    PyErr_SetString(PyExc_TypeError, "values are an array of Q");
    return 0;
}

/* fill(data, at, end, cells, begin, values): whether all was as expected; if not, no value was changed.
 * cells: (name with tag, octets of it, octets a value may have); values: array("Q"), the first one's place is begin. */
static PyObject *fill(PyObject *self, PyObject *const *args, Py_ssize_t given) {
    if (given != 6 || !PyBytes_Check(args[0]) || !PyTuple_Check(args[3]))
        return PyErr_Format(PyExc_TypeError, "fill(bytes, int, int, tuple, int, array)");
    Py_ssize_t at = PyLong_AsSsize_t(args[1]), end = PyLong_AsSsize_t(args[2]), begin = PyLong_AsSsize_t(args[4]);
    Py_ssize_t many = PyTuple_GET_SIZE(args[3]);
    if (PyErr_Occurred()) return NULL;
    if (at < 0 || begin < 0 || end > PyBytes_GET_SIZE(args[0]) || many > MOST_CELLS) Py_RETURN_FALSE;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(args[0]);
    uint64_t found[MOST_CELLS];
    for (Py_ssize_t i = 0; i < many; i++) {
        PyObject *cell = PyTuple_GET_ITEM(args[3], i);
        if (!PyTuple_Check(cell) || PyTuple_GET_SIZE(cell) != 3 || !PyBytes_Check(PyTuple_GET_ITEM(cell, 0)))
            return PyErr_Format(PyExc_TypeError, "a cell is (name, octets, width)");
        PyObject *name = PyTuple_GET_ITEM(cell, 0);
        long width = PyLong_AsLong(PyTuple_GET_ITEM(cell, 2));
        if (PyErr_Occurred()) return NULL;
        if (!number_at(data, &at, end, (const uint8_t *)PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), width,
                       &found[i]))
            Py_RETURN_FALSE;
    }
    if (at != end) Py_RETURN_FALSE;
    Py_buffer values;
    if (!numbers_of(args[5], &values, PyBUF_WRITABLE)) return NULL;
    int fits = begin <= values.len / 8 && many <= values.len / 8 - begin;
    if (fits) memcpy((uint64_t *)values.buf + begin, found, many * sizeof *found);
    PyBuffer_Release(&values);
    return PyBool_FromLong(fits);
}

typedef struct { char *text; size_t size, room; } Text;

static int add(Text *out, const char *octets, size_t many) {
    if (out->room - out->size < many) {
        size_t room = (out->size + many) * 2;
        char *more = PyMem_Realloc(out->text, room);
        if (!more) { PyErr_NoMemory(); return 0; }
        out->text = more;
        out->room = room;
    }
    memcpy(out->text + out->size, octets, many);
    out->size += many;
    return 1;
}

static int add_digits(Text *out, uint64_t value) {
    char digits[20], *p = digits + sizeof digits;
    do *--p = '0' + value % 10; while (value /= 10);
    return add(out, p, digits + sizeof digits - p);
}

/* A value as prometheus.number writes it: small whole numbers here, all else there. */
static int add_number(Text *out, PyObject *value, PyObject *write) {
    if (PyLong_CheckExact(value)) {
        int is_beyond = 0;
        long long small = PyLong_AsLongLongAndOverflow(value, &is_beyond);
        if (!is_beyond && small >= 0 && small < EXACT) return add_digits(out, (uint64_t)small);
    }
    PyObject *written = PyObject_CallOneArg(write, value);
    Py_ssize_t many = 0;
    const char *octets = written && PyUnicode_Check(written) ? PyUnicode_AsUTF8AndSize(written, &many) : NULL;
    int is_done = octets && add(out, octets, many);
    if (!octets && !PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "a number is written as a text");
    Py_XDECREF(written);
    return is_done;
}

/* render(lines, begin, values, write): for each value a line of begin, its line of lines and itself; None leaves it out.
 * values: any sequence; an array("Q") is read as it stands. */
static PyObject *render(PyObject *self, PyObject *const *args, Py_ssize_t given) {
    Py_ssize_t left, begins;
    const char *line = given == 4 && PyUnicode_Check(args[0]) ? PyUnicode_AsUTF8AndSize(args[0], &left) : NULL;
    const char *begin = line && PyUnicode_Check(args[1]) ? PyUnicode_AsUTF8AndSize(args[1], &begins) : NULL;
    if (!begin) return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "render(str, str, sequence, callable)");
    Py_buffer numbers = {0};
    PyObject *values = NULL, *made = NULL;
    int are_numbers = PyObject_CheckBuffer(args[2]);
    if (are_numbers ? !numbers_of(args[2], &numbers, 0) : !(values = PySequence_Tuple(args[2]))) return NULL;
    Py_ssize_t many = are_numbers ? numbers.len / 8 : PyTuple_GET_SIZE(values); /* ours, so that nobody changes it */
    Text out = {PyMem_Malloc(4096), 0, 4096};
    if (!out.text) { PyErr_NoMemory(); goto done; }
    for (Py_ssize_t i = 0; i < many; i++) {
        PyObject *value = are_numbers ? NULL : PyTuple_GET_ITEM(values, i);
        const char *stop = i + 1 < many ? memchr(line, '\n', left) : line + left;
        if (!stop || (i + 1 == many && memchr(line, '\n', left))) {
            PyErr_SetString(PyExc_ValueError, "a line of text for each value");
            goto done;
        }
        if (value != Py_None &&
            (!add(&out, begin, begins) || !add(&out, line, stop - line) ||
             !(are_numbers ? add_digits(&out, ((const uint64_t *)numbers.buf)[i] % EXACT)
                           : add_number(&out, value, args[3])) ||
             !add(&out, "\n", 1)))
            goto done;
        left -= stop - line + (i + 1 < many);
        line = stop + (i + 1 < many);
    }
    made = PyUnicode_DecodeUTF8(out.text, out.size, "strict");
done:
    PyMem_Free(out.text);
    if (are_numbers) PyBuffer_Release(&numbers);
    Py_XDECREF(values);
    return made;
}

static PyMethodDef methods[] = {
    {"fill", (PyCFunction)(void (*)(void))fill, METH_FASTCALL, "See core.c."},
    {"render", (PyCFunction)(void (*)(void))render, METH_FASTCALL, "See core.c."},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", "Two loops of a poll, compiled.", 0, methods};

PyMODINIT_FUNC PyInit__core(void) {
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddIntConstant(made, "INTERFACE", INTERFACE) < 0) Py_CLEAR(made);
    return made;
}
