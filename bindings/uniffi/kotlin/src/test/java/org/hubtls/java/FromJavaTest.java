package org.hubtls.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.hubtls.Bench;
import org.hubtls.Config;
import org.hubtls.Connection;
import org.hubtls.ErrorCode;
import org.hubtls.FragmentLength;
import org.hubtls.HubTls;
import org.hubtls.HubTlsException;
import org.hubtls.HubTlsSocketFactory;
import org.hubtls.Identity;
import org.hubtls.Issued;
import org.hubtls.JsseServer;
import org.hubtls.Negotiated;
import org.hubtls.Policy;
import org.hubtls.Readiness;
import org.hubtls.Root;
import org.hubtls.Roots;
import org.hubtls.Signer;
import org.hubtls.Sni;
import org.hubtls.TlsChannel;
import org.hubtls.TlsSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** hubtls as Java sees it. */
class FromJavaTest {
    @RegisterExtension
    final Bench bench = new Bench();

    private int echo() {
        return JsseServer.INSTANCE.start(bench, bench.getAuthority().issue("localhost"), bench.getAuthority(), 0, it -> kotlin.Unit.INSTANCE, socket -> {
            org.hubtls.ServersKt.echo(socket);
            return kotlin.Unit.INSTANCE;
        });
    }

    @Test
    void aDeviceConnectsWithASignerThatIsALambda() throws Exception {
        Issued issued = bench.getAuthority().issue("device-01");
        KeyStore store = JsseServer.INSTANCE.keyStore(issued);
        PrivateKey key = (PrivateKey) store.getKey("it", JsseServer.INSTANCE.getPASSWORD());
        Signer signer = (scheme, content) -> {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(content);
            return signature.sign();
        };
        Config config = Config.builder()
            .policy(Policy.named("iothub").onlyVersions("TLSv1.3"))
            .roots(bench.getAuthority().getRoots())
            .identity(Identity.fromSigner(Files.readAllBytes(issued.getChain()), signer))
            .build();
        int port = echo();
        try (TlsSocket socket = TlsSocket.connect(config, "localhost", port)) {
            socket.getOutputStream().write("hello".getBytes(StandardCharsets.UTF_8));
            assertEquals("hello", new String(socket.getInputStream().readNBytes(5), StandardCharsets.UTF_8));
            Negotiated agreed = socket.getNegotiated();
            assertEquals("TLSv1.3", agreed.getVersion());
            assertFalse(agreed.isResumed());
            assertTrue(agreed.isClientCertificateRequested());
            assertEquals(1, agreed.getPeerChain().size());
            assertNull(agreed.getFragmentLength());
        }
        try (SSLSocket socket = (SSLSocket) new HubTlsSocketFactory(config).createSocket("localhost", port)) {
            socket.startHandshake();
            assertTrue(((TlsSocket) socket).getNegotiated().isResumed());
        }
    }

    @Test
    void nativeContextsAndOptions() throws Exception {
        Issued issued = bench.getAuthority().issue("device-01");
        Identity identity = Identity.fromFiles(issued.getChain(), issued.getKey());
        SSLContext context = HubTls.sslContext(Policy.named(), identity);
        assertEquals(10, context.getDefaultSSLParameters().getCipherSuites().length);
        assertThrows(HubTlsException.class, () -> HubTls.sslContext(Config.builder().sni(Sni.OFF).build()));
        Config config = Config.builder()
            .policy("iothub-aead").addRoots(bench.getAuthority().getRoots()).pins(bench.getAuthority().getRootPem()).identity(identity)
            .refuseInvalidIdentity(true).alpn("mqtt").sni(Sni.named("gateway.example")).resumption(false).time(Instant.now())
            .postQuantum(true).fragmentLength(FragmentLength.request(512)).build();
        assertEquals("iothub-2025-08-aead", config.getPolicy().getName());
        assertEquals(512, config.getPolicy().getFragmentLength().getBytes());
        assertEquals(FragmentLength.OFF, Policy.named().getFragmentLength());
        Readiness readiness = Roots.azure().readiness(30);
        assertTrue(readiness.isReady());
        Root root = Roots.azure().getAll().get(0);
        assertTrue(root.vouchesForAzure());
        for (ErrorCode code : HubTls.errorCodes()) assertTrue(code.getNumber() > 100);
    }

    @Test
    void errorsAreChecked() {
        HubTlsException error = assertThrows(HubTlsException.class, () -> TlsSocket.connect(Config.create(), "localhost", echo()));
        assertEquals("UNKNOWN_ROOT", error.getCode());
        assertEquals(301, error.getNumber());
        assertEquals("unknown_ca", error.getAlert());
        assertFalse(error.isAlertReceived());
        assertEquals(error.getSentence() + " (" + error.getHint() + ")", error.getMessage());
        IOException checked = error;
        assertTrue(checked instanceof javax.net.ssl.SSLException);
        try {
            // This compiles because they are declared.
            Config.builder().policy("none").build();
        } catch (HubTlsException unknown) {
            assertEquals("UNKNOWN_POLICY", unknown.getCode());
        }
        HubTlsException nothing = assertThrows(HubTlsException.class, () -> Identity.fromSigner(new byte[0], (scheme, content) -> null));
        assertEquals("INVALID_CERTIFICATE", nothing.getCode());
    }

    @Test
    void aConnectionWithoutASocket() throws HubTlsException {
        try (Connection connection = new Connection(Config.create(), "my-hub.azure-devices.net")) {
            assertTrue(connection.isHandshaking());
            assertTrue(connection.transmit().length > 100);
        }
    }

    /** This compiles because what a socket throws is declared, as it is by Java's own. */
    @Test
    void whatASocketThrowsIsDeclared() {
        TlsSocket socket;
        try {
            socket = (TlsSocket) new HubTlsSocketFactory(Config.create()).createSocket();
        } catch (IOException error) {
            throw new AssertionError(error);
        }
        try {
            socket.setSoTimeout(1);
            socket.setTcpNoDelay(true);
        } catch (java.net.SocketException error) {
            throw new AssertionError(error);
        }
        assertThrows(IOException.class, () -> socket.getInputStream());
        try {
            socket.close();
        } catch (IOException error) {
            throw new AssertionError(error);
        }
        try {
            new HubTlsSocketFactory(Config.create()).createSocket().close();
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    /** Nothing that Java could not call, and nothing of what is beneath. */
    @Test
    void noNameIsMangledAndNothingInternalShows() {
        for (Class<?> type : List.of(
            Config.class, org.hubtls.ConfigBuilder.class, Connection.class, ErrorCode.class, FragmentLength.class, HubTls.class, HubTlsException.class,
            HubTlsSocketFactory.class, Identity.class, Negotiated.class, Policy.class, Readiness.class, Root.class, Roots.class, Signer.class, Sni.class,
            TlsChannel.class, TlsSocket.class)) {
            TreeSet<String> wrong = new TreeSet<>();
            for (Method method : type.getDeclaredMethods()) {
                if (!Modifier.isPublic(method.getModifiers()) || method.isSynthetic()) continue;
                boolean mangled = method.getName().matches(".*[-$].*");
                boolean beneath = (method.getReturnType().getName() + List.of(method.getParameterTypes())).contains("org.hubtls.ffi");
                // What is internal to the module has a name that says so.
                if (mangled && method.getName().endsWith("$hubtls")) continue;
                if (mangled || beneath) wrong.add(method.getName());
            }
            assertEquals(new TreeSet<>(), wrong, type.getName());
        }
    }
}
