// What every generated source begins with: a vector of the same number of L lanes, and functions of such vectors.
//
// `hyperbolic_tangent` and its like are those of SLEEF that torch's own kernels use, at most one unit in the last place
// off. Where the processor has neither AVX2 nor AVX-512, the C library computes them number by number.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#define VECTOR(T) __attribute__((vector_size(sizeof(T) * L), aligned(sizeof(T)))) T
typedef VECTOR(float) F;
typedef VECTOR(double) D;
typedef VECTOR(int64_t) I;
typedef VECTOR(int32_t) B;

template <class V, class T> static inline V splat(T value) {
  V all;
  for (int l = 0; l < L; ++l) all[l] = value;
  return all;
}
static inline F to_F(F x) { return x; }
static inline F to_F(D x) { return __builtin_convertvector(x, F); }
static inline F to_F(I x) { return __builtin_convertvector(x, F); }
static inline F to_F(B x) { return __builtin_convertvector(-x, F); }
static inline D to_D(F x) { return __builtin_convertvector(x, D); }
static inline D to_D(D x) { return x; }
static inline D to_D(I x) { return __builtin_convertvector(x, D); }
static inline D to_D(B x) { return __builtin_convertvector(-x, D); }
static inline I to_I(F x) { return __builtin_convertvector(x, I); }
static inline I to_I(D x) { return __builtin_convertvector(x, I); }
static inline I to_I(I x) { return x; }
static inline I to_I(B x) { return -__builtin_convertvector(x, I); }
static inline B to_B(F x) { return x != 0; }
static inline B to_B(D x) { return __builtin_convertvector(x != 0, B); }
static inline B to_B(I x) { return __builtin_convertvector(x != 0, B); }
static inline B to_B(B x) { return x; }

static inline F where(B c, F a, F b) { return c ? a : b; }
static inline D where(B c, D a, D b) { return __builtin_convertvector(c, I) ? a : b; }
static inline I where(B c, I a, I b) { return __builtin_convertvector(c, I) ? a : b; }
static inline B where(B c, B a, B b) { return (c & a) | (~c & b); }
#define COMPARISON(name, sign)                                \
  static inline B name(F a, F b) { return a sign b; }         \
  static inline B name(D a, D b) { return to_B(I(a sign b)); } \
  static inline B name(I a, I b) { return to_B(I(a sign b)); } \
  static inline B name(B a, B b) { return -a sign -b; }
COMPARISON(eq, ==)
COMPARISON(ne, !=)
COMPARISON(lt, <)
COMPARISON(le, <=)
COMPARISON(gt, >)
COMPARISON(ge, >=)
// What is not a number wins, as in torch.
template <class V> static inline V largest(V a, V b) { return where(gt(a, b) | ne(a, a), a, b); }
template <class V> static inline V smallest(V a, V b) { return where(lt(a, b) | ne(a, a), a, b); }
template <class V> static inline V absolute(V x);
template <> inline F absolute(F x) { return (F)((B)x & 0x7fffffff); }
template <> inline D absolute(D x) { return (D)((I)x & 0x7fffffffffffffffLL); }
template <> inline I absolute(I x) { return x < 0 ? -x : x; }

#if defined(__AVX512F__)
#define SLEEF_F 16
#define SLEEF_D 8
#elif defined(__AVX2__)
#define SLEEF_F 8
#define SLEEF_D 4
#endif
#define JOINED(a, b, c, d) a##b##c##d
#define NAME(a, b, c, d) JOINED(a, b, c, d)
#ifdef SLEEF_F
typedef __attribute__((vector_size(4 * SLEEF_F))) float NF;
typedef __attribute__((vector_size(8 * SLEEF_D))) double ND;
#define FUNCTION(name, plain, accuracy)                                                       \
  extern "C" NF NAME(Sleef_##plain, f, SLEEF_F, accuracy)(NF);                                \
  extern "C" ND NAME(Sleef_##plain, d, SLEEF_D, accuracy)(ND);                                \
  static inline F name(F x) {                                                                 \
    union { F whole; NF part[L / SLEEF_F]; } u = {x};                                         \
    for (NF& part : u.part) part = NAME(Sleef_##plain, f, SLEEF_F, accuracy)(part);           \
    return u.whole;                                                                           \
  }                                                                                           \
  static inline D name(D x) {                                                                 \
    union { D whole; ND part[L / SLEEF_D]; } u = {x};                                         \
    for (ND& part : u.part) part = NAME(Sleef_##plain, d, SLEEF_D, accuracy)(part);           \
    return u.whole;                                                                           \
  }
#else
#define FUNCTION(name, plain, accuracy) EACH(name, std::plain)
#endif
#define EACH(name, plain)                                                                     \
  static inline F name(F x) { for (int l = 0; l < L; ++l) x[l] = plain(x[l]); return x; }     \
  static inline D name(D x) { for (int l = 0; l < L; ++l) x[l] = plain(x[l]); return x; }
FUNCTION(exponential, exp, _u10)
FUNCTION(exponential_less_1, expm1, _u10)
FUNCTION(logarithm, log, _u10)
FUNCTION(logarithm_of_1_plus, log1p, _u10)
FUNCTION(hyperbolic_tangent, tanh, _u10)
FUNCTION(sine, sin, _u10)
FUNCTION(cosine, cos, _u10)
FUNCTION(error_function, erf, _u10)
EACH(square_root, std::sqrt)
EACH(rounded_down, std::floor)
EACH(rounded_up, std::ceil)
EACH(rounded_to_even, std::nearbyint)
EACH(cut_off, std::trunc)
template <class V> static inline V squared(V x) { return x * x; }
template <class V> static inline V power(V x, V y) {
  for (int l = 0; l < L; ++l) x[l] = std::pow(x[l], y[l]);
  return x;
}

// Rows of a batch for each lane: those of the seed that it follows.
template <class V, class T>
static inline void read_rows(V* to, const T* from, const int64_t* rows, const int64_t* seeds, int64_t count, int64_t size) {
  bool same = true;
  for (int l = 1; l < L; ++l) same &= seeds[l] == seeds[0];
  for (int64_t r = 0; r < count; ++r)
    if (same) {
      const T* row = from + rows[seeds[0] * count + r] * size;
      for (int64_t i = 0; i < size; ++i) to[r * size + i] = splat<V>(row[i]);
    } else {
      for (int l = 0; l < L; ++l) {
        const T* row = from + rows[seeds[l] * count + r] * size;
        for (int64_t i = 0; i < size; ++i) to[r * size + i][l] = row[i];
      }
    }
}
template <class V, class T>
static inline void read_of_seeds(V* to, const T* from, const int64_t* seeds, int64_t size) {
  for (int l = 0; l < L; ++l)
    for (int64_t i = 0; i < size; ++i) to[i][l] = from[seeds[l] * size + i];
}
// A place along an axis for each lane; indices have been checked where the rows were first looked at.
static inline int64_t within(int64_t place, int64_t size) {
  if (place < 0) place += size;
  return place < 0 ? 0 : place >= size ? size - 1 : place;
}
template <class V> static inline V chosen(const V* table, I index, int64_t size, int64_t stride) {
  V found;
  for (int l = 0; l < L; ++l) found[l] = table[within(index[l], size) * stride][l];
  return found;
}
template <class V> static inline void put(V* table, I index, int64_t size, int64_t stride, V value) {
  for (int l = 0; l < L; ++l) table[within(index[l], size) * stride][l] = value[l];
}
template <class V> static inline void put_more(V* table, I index, int64_t size, int64_t stride, V value) {
  for (int l = 0; l < L; ++l) table[within(index[l], size) * stride][l] += value[l];
}
