/* Calls about builders, configurations and the handle of the current one. */
#include "callbacks.h"
#include "calls.h"
#include "handles.h"
#include "input.h"
#include "report.h"

static void set_option(hubtls_config_builder *builder)
{
    hubtls_bytes data;
    const hubtls_bytes *list;
    size_t count;
    switch (below(17)) {
    case 0: succeeded(hubtls_config_builder_set_policy(builder, handle(POLICY), report())); break;
    case 1: succeeded(hubtls_config_builder_set_roots(builder, handle(ROOTS), report())); break;
    case 2: succeeded(hubtls_config_builder_add_roots(builder, handle(ROOTS), report())); break;
    case 3: succeeded(hubtls_config_builder_add_pin(builder, text(), report())); break;
    case 4:
        data = lent();
        succeeded(hubtls_config_builder_add_pin_of_certificate(builder, data.data, data.len, report()));
        break;
    case 5: succeeded(hubtls_config_builder_set_identity(builder, handle(IDENTITY), report())); break;
    case 6: succeeded(hubtls_config_builder_set_refuse_invalid_identity(builder, byte() % 2 == 0, report())); break;
    case 7:
        data = lent();
        succeeded(hubtls_config_builder_add_revocation_lists(builder, data.data, data.len, report()));
        break;
    case 8: succeeded(hubtls_config_builder_set_require_revocation_status(builder, byte() % 2 == 0, report())); break;
    case 9:
        list = byte_lists(&count);
        succeeded(hubtls_config_builder_set_alpn(builder, list, count, report()));
        break;
    case 10: succeeded(hubtls_config_builder_set_sni(builder, text(), report())); break;
    case 11: succeeded(hubtls_config_builder_set_resumption(builder, byte() % 2 == 0, report())); break;
    case 12: succeeded(hubtls_config_builder_set_fragment_length(builder, byte() % 4, (size_t)128 << below(8), report())); break;
    case 13: succeeded(hubtls_config_builder_set_post_quantum(builder, byte() % 2 == 0, report())); break;
    case 14: succeeded(hubtls_config_builder_set_time(builder, long_number(), report())); break;
    case 15: succeeded(hubtls_config_builder_set_clock(builder, byte() == 255 ? NULL : tell_time, UNTOUCHED, report())); break;
    default: succeeded(hubtls_config_builder_set_key_log(builder, byte() == 255 ? NULL : log_keys, UNTOUCHED, report())); break;
    }
}

/* A configuration that agrees with the server, so that a handshake is within reach; the options before it are the input's. */
static hubtls_config *for_server(hubtls_config_builder *builder)
{
    hubtls_roots *roots = NULL;
    hubtls_config *config = NULL;
    hubtls_config_builder *own = hubtls_config_builder_new();
    hubtls_bytes pem = file("root.pem");
    EXPECT(hubtls_roots_from_pem(pem.data, pem.len, &roots, NULL) == HUBTLS_OK);
    if (builder == NULL) {
        builder = own;
    }
    if (hubtls_config_builder_set_roots(builder, roots, NULL) == HUBTLS_OK) {
        begin_use(builder);
        (void)hubtls_config_builder_build(builder, &config, NULL);
        end_use();
    }
    hubtls_config_builder_free(own);
    hubtls_roots_free(roots);
    return config;
}

static void describe(const hubtls_config *config)
{
    hubtls_policy *policy = hubtls_config_policy(config);
    hubtls_roots *roots = hubtls_config_roots(config);
    EXPECT((policy != NULL) == (config != NULL) && (roots != NULL) == (config != NULL));
    size_t count = hubtls_config_warning_count(config);
    for (size_t i = 0; i < count; i++) {
        EXPECT(hubtls_config_warning_at(config, i)[0] != '\0');
    }
    EXPECT(hubtls_config_warning_at(config, count) == NULL);
    if (config != NULL) {
        made(POLICY, true, policy);
        made(ROOTS, true, roots);
    }
}

void call_about_configs(void)
{
    const hubtls_config *config = handle(CONFIG);
    hubtls_config_builder *builder = handle(BUILDER);
    hubtls_config_handle *shared = handle(HANDLE);
    hubtls_config *out = UNTOUCHED;
    hubtls_config_handle *out_handle = UNTOUCHED;
    void *place = seldom_null(&out);
    bool success;
    switch (below(16)) {
    case 0: made(BUILDER, true, hubtls_config_builder_new()); return;
    case 1:
        begin_use(builder);
        success = succeeded(hubtls_config_builder_build(builder, place, report()));
        end_use();
        break;
    case 2:
        out = hubtls_config_clone(config);
        success = config != NULL;
        if (out == NULL) {
            EXPECT(!success);
            return;
        }
        break;
    case 3: success = succeeded(hubtls_config_with_roots(config, handle(ROOTS), place, report())); break;
    case 4: describe(config); return;
    case 5: made(HANDLE, succeeded(hubtls_config_handle_new(config, &out_handle, report())), out_handle); return;
    case 6:
        out = hubtls_config_handle_current(shared);
        EXPECT((out != NULL) == (shared != NULL));
        if (out == NULL) {
            return;
        }
        success = true;
        break;
    case 7: succeeded(hubtls_config_handle_replace(shared, config, report())); return;
    case 8: succeeded(hubtls_config_handle_replace_roots(shared, handle(ROOTS), report())); return;
    case 9:
        out = for_server(builder);
        if (out == NULL) {
            return;
        }
        success = true;
        break;
    default: set_option(builder); return;
    }
    made(CONFIG, success, out);
}
