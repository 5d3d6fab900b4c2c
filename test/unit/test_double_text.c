/*
 * Doubles and floats as text. Expected: what Java 17 prints, but for the few where it prints a digit too
 * many (marked); those are the documented output of Java 19 (JDK-4511638). Random numbers are held to the
 * two promises by the C library: they read back, and no shorter text does.
 */
#include "data/double_text.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *double_text(double v)
{
    static char text[WR_DOUBLE_TEXT_MAX + 1];
    text[wr_double_text(v, text)] = '\0';
    return text;
}

static const char *float_text(float v)
{
    static char text[WR_DOUBLE_TEXT_MAX + 1];
    text[wr_float_text(v, text)] = '\0';
    return text;
}

static void writes_doubles_as_java_does(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-1.5, "-1.5"},
        {100, "100.0"},
        {29.99, "29.99"},
        {0.1, "0.1"},
        {0.001, "0.001"},
        {0.002, "0.002"},
        {9.999E-4, "9.999E-4"},
        {9999999, "9999999.0"},
        {1234567.5, "1234567.5"},
        {1e7, "1.0E7"},
        {5e-5, "5.0E-5"},
        {1.1E-5, "1.1E-5"},
        {0.3333333333333333, "0.3333333333333333"},
        {3.141592653589793, "3.141592653589793"},
        {123456789012345680.0, "1.2345678901234568E17"},
        {9007199254740992.0, "9.007199254740992E15"},
        {1e21, "1.0E21"},
        {1e22, "1.0E22"},
        {1e23, "1.0E23"},     /* Java 17: 9.999999999999999E22 */
        {2e23, "2.0E23"},     /* Java 17: 1.9999999999999998E23 */
        {8.41E21, "8.41E21"}, /* Java 17: 8.409999999999999E21 */
        {1.7976931348623157E308, "1.7976931348623157E308"},
        {2.2250738585072014E-308, "2.2250738585072014E-308"},
        {4.9E-324, "4.9E-324"}, /* two digits where one would do */
        {9.9E-324, "9.9E-324"},
        {__builtin_inf(), "Infinity"},
        {-__builtin_inf(), "-Infinity"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(double_text(cases[i].v), cases[i].text);
    }
    assert_string_equal(double_text(__builtin_nan("")), "NaN");
    assert_string_equal(double_text(-__builtin_nan("")), "NaN");
}

static void writes_floats_as_java_does(void **state)
{
    (void)state;
    static const struct {
        float v;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.0F, "-0.0"},
        {0.1F, "0.1"},
        {0.3F, "0.3"},
        {0.001F, "0.001"},
        {1.5E-5F, "1.5E-5"},
        {16777216.0F, "1.6777216E7"},
        {33554432.0F, "3.3554432E7"},
        {1e10F, "1.0E10"},
        {3.4028235E38F, "3.4028235E38"},
        {1.4E-45F, "1.4E-45"},
        {1.17549435E-38F, "1.1754944E-38"}, /* Java 17: 1.17549435E-38 */
        {-__builtin_inff(), "-Infinity"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(float_text(cases[i].v), cases[i].text);
    }
    assert_string_equal(float_text(__builtin_nanf("")), "NaN");
}

/* How many digits a text has between its zeros. */
static int digits_of(const char *text)
{
    int digits = 0;
    int zeros = 0;
    for (; *text != '\0' && *text != 'E'; text++) {
        if (*text >= '1' && *text <= '9') {
            digits += 1 + (digits > 0 ? zeros : 0);
            zeros = 0;
        } else if (*text == '0') {
            zeros++;
        }
    }
    return digits;
}

static void assert_shortest_double(double v)
{
    char other[64];
    const char *text = double_text(v);
    assert_true(strtod(text, NULL) == v);
    int digits = digits_of(text);
    if (digits > 2) {
        (void)snprintf(other, sizeof(other), "%.*e", digits - 2, v);
        assert_false(strtod(other, NULL) == v);
    }
    (void)snprintf(other, sizeof(other), "%.*e", digits - 1, v); /* the nearest of that length */
    if (strtod(other, NULL) == v) {
        assert_true(strtold(other, NULL) == strtold(text, NULL));
    }
}

static void random_doubles_read_back_from_the_shortest_text(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(1);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = wr_rng_next(&rng);
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (__builtin_isfinite(v)) {
            assert_shortest_double(v);
        }
        assert_shortest_double((double)(bits % 1000000000) / 1000);
    }
}

static void random_floats_read_back_from_the_shortest_text(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(2);
    for (int i = 0; i < 100000; i++) {
        uint32_t bits = (uint32_t)wr_rng_next(&rng);
        float v;
        memcpy(&v, &bits, sizeof(v));
        if (!__builtin_isfinite(v)) {
            continue;
        }
        const char *text = float_text(v);
        assert_true(strtof(text, NULL) == v);
        char shorter[64];
        if (digits_of(text) > 2) {
            (void)snprintf(shorter, sizeof(shorter), "%.*e", digits_of(text) - 2, (double)v);
            assert_false(strtof(shorter, NULL) == v);
        }
    }
}

/* Around powers of two the lower neighbour is nearer than the upper one. */
static void all_powers_of_two_read_back(void **state)
{
    (void)state;
    for (int e = 1; e < 2047; e++) {
        uint64_t bits = (uint64_t)e << 52;
        for (uint64_t k = 0; k < 3; k++) {
            uint64_t near = bits + k - 1;
            double v;
            memcpy(&v, &near, sizeof(v));
            assert_shortest_double(v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_doubles_as_java_does),
        cmocka_unit_test(writes_floats_as_java_does),
        cmocka_unit_test(random_doubles_read_back_from_the_shortest_text),
        cmocka_unit_test(random_floats_read_back_from_the_shortest_text),
        cmocka_unit_test(all_powers_of_two_read_back),
    };
    return cmocka_run_group_tests_name("double_text", tests, NULL, NULL);
}
