// A signer as a device with a secure element has one; OpenSSL plays the element.

#include "support.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

void signing_begin(signing *signing, const char *directory, const char *key_file) {
  memset(signing, 0, sizeof *signing);
  file pem = file_read(directory, key_file);
  BIO *text = BIO_new_mem_buf(pem.data, (int)pem.len);
  signing->key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
  assert_non_null(signing->key);
  BIO_free(text);
  file_free(&pem);
}

void signing_end(signing *signing) { EVP_PKEY_free(signing->key); }

// Knows ecdsa_secp256r1_sha256 alone.
static int sign(void *context, uint16_t scheme, const uint8_t *message, size_t message_len, uint8_t *signature, size_t *signature_len) {
  signing *self = context;
  self->calls++;
  if (self->before != NULL) {
    self->before(self->before_context);
  }
  if (self->failure != 0) {
    return self->failure;
  }
  if (scheme != 0x0403 || *signature_len != HUBTLS_MAX_SIGNATURE) {
    return -1;
  }
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  int done = EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, self->key) == 1 &&
             EVP_DigestSign(digest, signature, signature_len, message, message_len) == 1;
  EVP_MD_CTX_free(digest);
  if (self->claimed_len != 0) {
    *signature_len = self->claimed_len;
  }
  return done ? 0 : -2;
}

static void release(void *context) { ((signing *)context)->releases++; }

hubtls_signer signer_of(signing *signing) {
  hubtls_signer signer = HUBTLS_SIGNER_INIT;
  signer.context = signing;
  signer.sign = sign;
  signer.release = release;
  return signer;
}
