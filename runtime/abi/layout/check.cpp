// Proves for C++17 that the headers agree with layout.in.
#include <pipeline/abi.h>

#include <string_view>
#include <type_traits>

#define PL_SIZE(Type, size, align) \
    static_assert(sizeof(Type) == (size) && alignof(Type) == (align) && std::is_standard_layout_v<Type>, #Type);
#define PL_FIELD(Type, field, offset) static_assert(offsetof(Type, field) == (offset), #Type "." #field);
#define PL_CONST(name, value) static_assert((name) == (value), #name);
#define PL_STRING(name, text) static_assert(std::string_view(name) == text, #name);

#include "../layout.in"
