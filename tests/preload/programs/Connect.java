import java.net.Socket;

/** Connects to HOST PORT and waits. */
final class Connect {
    public static void main(String[] arguments) throws Exception {
        try (Socket socket = new Socket(arguments[0], Integer.parseInt(arguments[1]))) {
            socket.getInputStream().read();
        }
    }
}
