import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Two TLS listeners on loopback that answer each line with the line reversed. The second demands a client certificate.
 *
 * Arguments: the algorithm of the key in server.key. Reads server.chain, server.key and devices.pem; prints the two ports.
 */
public class LineServer {
    public static void main(String[] arguments) throws Exception {
        char[] password = "throwaway".toCharArray();
        CertificateFactory certificates = CertificateFactory.getInstance("X.509");
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        try (InputStream chain = new FileInputStream("server.chain")) {
            own.setKeyEntry("server", key(arguments[0]), password,
                    certificates.generateCertificates(chain).toArray(new Certificate[0]));
        }
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream root = new FileInputStream("devices.pem")) {
            trusted.setCertificateEntry("devices", certificates.generateCertificate(root));
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);

        StringBuilder ports = new StringBuilder("LISTENING");
        for (boolean demands : new boolean[] {false, true}) {
            SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
                    .createServerSocket(0, 50, InetAddress.getLoopbackAddress());
            listener.setNeedClientAuth(demands);
            ports.append(' ').append(listener.getLocalPort());
            new Thread(() -> accept(listener)).start();
        }
        System.out.println(ports + " .");
    }

    private static PrivateKey key(String algorithm) throws Exception {
        String pem = Files.readString(Path.of("server.key")).replaceAll("-----[^-]*-----|\\s", "");
        return KeyFactory.getInstance(algorithm)
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    private static void accept(SSLServerSocket listener) {
        while (true) {
            try {
                Socket socket = listener.accept();
                new Thread(() -> serve(socket)).start();
            } catch (Exception error) {
                System.out.println("accept: " + error);
                return;
            }
        }
    }

    private static void serve(Socket socket) {
        try (socket) {
            InputStream input = socket.getInputStream();
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            byte[] buffer = new byte[16384];
            int length;
            while ((length = input.read(buffer)) > 0) {
                for (int i = 0; i < length; i++) {
                    if (buffer[i] != '\n') {
                        line.write(buffer[i]);
                        continue;
                    }
                    byte[] answer = line.toByteArray();
                    for (int low = 0, high = answer.length - 1; low < high; low++, high--) {
                        byte swapped = answer[low];
                        answer[low] = answer[high];
                        answer[high] = swapped;
                    }
                    line.reset();
                    ByteArrayOutputStream whole = new ByteArrayOutputStream();
                    whole.write(answer);
                    whole.write('\n');
                    socket.getOutputStream().write(whole.toByteArray());
                }
            }
        } catch (Exception error) {
            System.out.println("serve: " + error);
        }
    }
}
