/* Proves for C11 that the headers agree with layout.in. */
#include <pipeline/abi.h>

#define PL_SIZE(Type, size, align) _Static_assert(sizeof(Type) == (size) && _Alignof(Type) == (align), #Type);
#define PL_FIELD(Type, field, offset) _Static_assert(offsetof(Type, field) == (offset), #Type "." #field);
#define PL_CONST(name, value) _Static_assert((name) == (value), #name);
#define PL_STRING(name, text) _Static_assert(sizeof(name) == sizeof(text), #name);

#include "../layout.in"
