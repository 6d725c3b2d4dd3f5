/* Calls about policies, roots and the names of numbers. */
#include "calls.h"
#include "handles.h"
#include "input.h"
#include "report.h"

#include <string.h>

static void read_text(const char *text)
{
    if (text != NULL) {
        EXPECT(strlen(text) < 1 << 20);
    }
}

static void call_about_names(void)
{
    uint16_t code = short_number(), out = 0x5a5a;
    switch (below(12)) {
    case 0: read_text(hubtls_suite_name(code)); break;
    case 1: read_text(hubtls_suite_openssl_name(code)); break;
    case 2: read_text(hubtls_suite_gnutls_name(code)); break;
    case 3: EXPECT(hubtls_suite_strength(code) <= HUBTLS_STRENGTH_RETIRED); break;
    case 4: read_text(hubtls_group_name(code)); break;
    case 5: read_text(hubtls_signature_scheme_name(code)); break;
    case 6: read_text(hubtls_tls_version_name(code)); break;
    case 7: EXPECT(hubtls_alert_name((uint8_t)code) != NULL); break;
    case 8: hubtls_status_is_transient((hubtls_status)code); break;
    case 9: {
        const char *message = text(), *hint = text();
        EXPECT(!reported(hubtls_error_fill(report(), (hubtls_status)code, message, hint)));
        break;
    }
    case 10: EXPECT(succeeded(hubtls_suite_from_name(text(), seldom_null(&out), report())) || out == 0x5a5a); break;
    default:
        EXPECT(succeeded(hubtls_group_from_name(text(), seldom_null(&out), report())) || out == 0x5a5a);
        out = 0x5a5a;
        EXPECT(succeeded(hubtls_tls_version_from_name(text(), seldom_null(&out), report())) || out == 0x5a5a);
    }
}

static void describe_policy(const hubtls_policy *policy)
{
    size_t count = 0, bytes = 0;
    read_text(hubtls_policy_json(policy));
    read_text(hubtls_policy_openssl_cipher_list(policy));
    read_text(hubtls_policy_openssl_ciphersuites(policy));
    read_text(hubtls_policy_openssl_groups(policy));
    read_text(hubtls_policy_openssl_signature_algorithms(policy));
    read_text(hubtls_policy_wolfssl_cipher_list(policy));
    read_text(hubtls_policy_wolfssl_signature_algorithms(policy));
    read_text(hubtls_policy_name(policy));
    read_text(hubtls_policy_warning_at(policy, byte()));
    EXPECT(hubtls_policy_warning_at(policy, hubtls_policy_warning_count(policy)) == NULL);
    EXPECT((hubtls_policy_versions(policy, &count) != NULL) == (policy != NULL));
    EXPECT((hubtls_policy_suites(policy, seldom_null(&count)) != NULL) == (policy != NULL));
    EXPECT((hubtls_policy_groups(policy, &count) != NULL) == (policy != NULL));
    EXPECT((hubtls_policy_signature_schemes(policy, &count) != NULL) == (policy != NULL));
    EXPECT((policy == NULL) == (count == 0));
    EXPECT(hubtls_policy_fragment_length(policy, seldom_null(&bytes)) <= HUBTLS_FRAGMENT_REQUIRE && bytes <= 4096);
    EXPECT(policy != NULL || !hubtls_policy_is_narrowed(policy));
}

static void call_about_policies(void)
{
    const hubtls_policy *policy = handle(POLICY);
    hubtls_policy *out = UNTOUCHED;
    void *place = seldom_null(&out);
    const uint16_t *list;
    size_t count;
    bool success;
    switch (below(9)) {
    case 0: success = succeeded(hubtls_policy_named(text(), place, report())); break;
    case 1: success = succeeded(hubtls_policy_at(byte(), place, report())); break;
    case 2: {
        hubtls_bytes json = lent();
        success = succeeded(hubtls_policy_from_json((const char *)json.data, json.len, place, report()));
        break;
    }
    case 3:
        list = numbers(&count);
        success = succeeded(hubtls_policy_only_versions(policy, list, count, place, report()));
        break;
    case 4:
        list = numbers(&count);
        success = succeeded(hubtls_policy_only_suites(policy, list, count, place, report()));
        break;
    case 5:
        list = numbers(&count);
        success = succeeded(hubtls_policy_only_groups(policy, list, count, place, report()));
        break;
    case 6: success = succeeded(hubtls_policy_only_authentication(policy, byte(), place, report())); break;
    case 7: success = succeeded(hubtls_policy_with_fragment_length(policy, byte(), (size_t)128 << below(8), place, report())); break;
    default: describe_policy(policy); return;
    }
    made(POLICY, success, out);
}

static void describe_roots(const hubtls_roots *roots)
{
    size_t count = hubtls_roots_count(roots);
    hubtls_readiness readiness = {.size = byte() == 255 ? byte() : sizeof readiness, .independent = 77};
    EXPECT((hubtls_roots_pem(roots) != NULL) == (roots != NULL));
    for (size_t i = 0; i < count; i++) {
        EXPECT(hubtls_roots_subject_at(roots, i) != NULL);
        read_text(hubtls_roots_fingerprint_at(roots, i));
        hubtls_roots_not_after_at(roots, i);
    }
    EXPECT(hubtls_roots_subject_at(roots, count) == NULL && hubtls_roots_fingerprint_at(roots, SIZE_MAX) == NULL);
    EXPECT(hubtls_roots_not_after_at(roots, count) == 0);
    if (succeeded(hubtls_roots_readiness(roots, long_number(), short_number(), &readiness, report()))) {
        EXPECT(readiness.independent <= count && readiness.ready == (readiness.independent >= 2));
    } else {
        EXPECT(readiness.independent == 77);
    }
}

static void call_about_roots(void)
{
    const hubtls_roots *roots = handle(ROOTS);
    hubtls_roots *out = UNTOUCHED;
    void *place = seldom_null(&out);
    bool success;
    switch (below(10)) {
    case 0: success = succeeded(hubtls_roots_azure(place, report())); break;
    case 1: success = succeeded(hubtls_roots_embedded(place, report())); break;
    case 2: success = succeeded(hubtls_roots_of_policy(handle(POLICY), place, report())); break;
    case 3: {
        hubtls_bytes pem = lent();
        success = succeeded(hubtls_roots_from_pem(pem.data, pem.len, place, report()));
        break;
    }
    case 4: {
        size_t count;
        const hubtls_bytes *list = byte_lists(&count);
        success = succeeded(hubtls_roots_from_der(list, count, place, report()));
        break;
    }
    case 5: success = succeeded(hubtls_roots_with_added(roots, handle(ROOTS), place, report())); break;
    case 6: success = succeeded(hubtls_roots_vouching_for_azure(roots, byte() % 2 == 0, place, report())); break;
    case 7: success = succeeded(hubtls_roots_believed_about(roots, text(), place, report())); break;
    case 8: success = succeeded(hubtls_roots_from_pem_file(text(), place, report())); break;
    default: describe_roots(roots); return;
    }
    made(ROOTS, success, out);
}

void call_about_values(void)
{
    switch (below(4)) {
    case 0: call_about_names(); break;
    case 1: call_about_roots(); break;
    default: call_about_policies(); break;
    }
}
