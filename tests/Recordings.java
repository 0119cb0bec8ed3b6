import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.*;

/** A client that asks for a page several times, or a server that answers so many requests. */
public class Recordings {
    public static void main(String[] given) throws Exception {
        int times = Integer.parseInt(given[2]);
        if (given[0].equals("client")) {
            ask(Integer.parseInt(given[1]), times, given[3]);
        } else {
            serve(Integer.parseInt(given[1]), times, given[3]);
        }
    }

    static void ask(int port, int times, String version) throws Exception {
        TrustManager all = new X509ExtendedTrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String type) {}
            public void checkServerTrusted(X509Certificate[] chain, String type) {}
            public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
            public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}
            public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
            public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {all}, null);
        for (int number = 0; number < times; number++) {
            try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setServerNames(List.of(new SNIHostName("example.test")));
                parameters.setProtocols(new String[] {version});
                socket.setSSLParameters(parameters);
                socket.getOutputStream().write("GET / HTTP/1.0\r\nHost: example.test\r\n\r\n".getBytes());
                String page = new String(socket.getInputStream().readAllBytes());
                if (!page.contains("200 ok")) {
                    throw new Exception("no page: " + page);
                }
            }
        }
    }

    static void serve(int port, int times, String file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream stream = new FileInputStream(file)) {
            store.load(stream, "secret".toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, "secret".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        java.net.InetAddress here = java.net.InetAddress.getByName("127.0.0.1");
        try (SSLServerSocket listening = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 9, here)) {
            for (int number = 0; number < times; number++) {
                try (SSLSocket socket = (SSLSocket) listening.accept()) {
                    socket.getInputStream().read(new byte[1000]);
                    socket.getOutputStream().write("HTTP/1.0 200 ok\r\nContent-Length: 5\r\n\r\nhello".getBytes());
                }
            }
        }
    }
}
