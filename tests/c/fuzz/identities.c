/* Calls about identities. */
#include "callbacks.h"
#include "calls.h"
#include "handles.h"
#include "input.h"
#include "report.h"

void call_about_identities(void)
{
    const hubtls_identity *identity = handle(IDENTITY);
    hubtls_identity *out = UNTOUCHED;
    void *place = seldom_null(&out);
    bool success;
    switch (below(7)) {
    case 0: {
        hubtls_bytes chain = lent(), key = lent();
        success = succeeded(hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, text(), place, report()));
        break;
    }
    case 1: {
        size_t count;
        const hubtls_bytes *chain = byte_lists(&count);
        hubtls_bytes key = lent();
        success = succeeded(hubtls_identity_from_der(chain, count, key.data, key.len, text(), place, report()));
        break;
    }
    case 2: {
        hubtls_bytes content = lent();
        success = succeeded(hubtls_identity_from_pkcs12(content.data, content.len, text(), place, report()));
        break;
    }
    case 3: {
        const char *chain = text(), *key = text();
        success = succeeded(hubtls_identity_from_pem_files(chain, key, text(), place, report()));
        break;
    }
    case 4: {
        hubtls_bytes chain = byte() < 128 ? file("client.pem") : lent();
        hubtls_signer with = signer();
        live_signers += with.size >= sizeof with ? 1 : 0;
        success = succeeded(hubtls_identity_from_signer(chain.data, chain.len, &with, place, report()));
        break;
    }
    case 5: {
        hubtls_bytes chain = file("client.pem"), key = file("client.key");
        success = succeeded(hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, NULL, place, report()));
        EXPECT(success || place == NULL);
        break;
    }
    default:
        EXPECT((hubtls_identity_subject(identity) != NULL) == (identity != NULL));
        EXPECT((hubtls_identity_key_algorithm(identity) != NULL) == (identity != NULL));
        EXPECT((hubtls_identity_not_after(identity) != 0) == (identity != NULL));
        return;
    }
    made(IDENTITY, success, out);
}
