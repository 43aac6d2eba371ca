<?php

declare(strict_types=1);

/**
 * `openssl s_server` for one connection, with a certificate made for the moment.
 *
 * It ends with the connection, or with this object, whichever is first.
 */
final class TlsServer
{
    private string $folder;
    private int $port;

    /** @var resource */
    private $process;

    /** @var resource[] */
    private array $pipes;

    public function __construct()
    {
        $this->folder = sys_get_temp_dir() . '/keepalive-demo-' . bin2hex(random_bytes(8));
        if (!mkdir($this->folder, 0700)) {
            throw new RuntimeException("Cannot make the folder $this->folder.");
        }
        $file = escapeshellarg($this->certificate());
        exec(
            'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
            . " -addext subjectAltName=DNS:localhost -keyout $file -out $file 2>&1",
            $lines,
            $status
        );
        if ($status !== 0) {
            throw new RuntimeException("openssl made no certificate:\n" . implode("\n", $lines));
        }
        $command = ['openssl', 's_server', '-accept', '127.0.0.1:0', '-naccept', '1', '-cert', $this->certificate()];
        $log = ['file', "$this->folder/log", 'w'];
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], $log], $pipes);
        if ($process === false) {
            throw new RuntimeException('openssl s_server does not start.');
        }
        $this->process = $process;
        $this->pipes = $pipes;
        while (($line = fgets($this->pipes[1])) !== false) {
            if (preg_match('/^ACCEPT \S+:(\d+)$/', rtrim($line), $found) === 1) {
                $this->port = (int) $found[1];
                return;
            }
        }
        throw new RuntimeException("openssl s_server has ended:\n" . file_get_contents("$this->folder/log"));
    }

    public function __destruct()
    {
        if (isset($this->process)) {
            proc_terminate($this->process, 9);
            array_map('fclose', $this->pipes);
            proc_close($this->process);
        }
        array_map('unlink', glob("$this->folder/*") ?: []);
        @rmdir($this->folder);
    }

    public function port(): int
    {
        return $this->port;
    }

    /** Certificate and key, in one file. */
    public function certificate(): string
    {
        return "$this->folder/server.pem";
    }
}
