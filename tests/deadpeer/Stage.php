<?php

declare(strict_types=1);

namespace DeadPeer;

/** Where cases are played: near.php for each, between two hosts of its own. */
final class Stage
{
    private string $directory;

    /** @param string $directory for the captures and results; made if missing */
    public function __construct(string $directory)
    {
        $this->directory = $directory;
        if (!is_dir($directory) && !mkdir($directory, 0777, true)) {
            throw new \RuntimeException("cannot make $directory");
        }
        $this->makeCertificate();
        $this->compileNear();
    }

    /**
     * @param array<string, array<string, mixed>> $cases by name
     * @return array<string, array<string, mixed>> results by name, in the order of the cases
     */
    public function play(array $cases, int $atATime): array
    {
        $waiting = $cases;
        // The longest first, so that none of them is left for the end.
        uasort($waiting, static function (array $a, array $b): int {
            return $b['horizon'] <=> $a['horizon'];
        });
        $running = [];
        $results = $cases;
        while ($waiting !== [] || $running !== []) {
            if ($waiting !== [] && count($running) < $atATime) {
                $name = key($waiting);
                $running[$name] = $this->start($name, array_shift($waiting)['ffi']);
            }
            usleep(50000);
            foreach ($running as $name => $process) {
                if (!proc_get_status($process)['running']) {
                    unset($running[$name]);
                    $results[$name] = $this->result($name) + ['case' => $cases[$name]];
                }
            }
        }
        return $results;
    }

    /** @return resource */
    private function start(string $name, bool $ffi)
    {
        $command = array_merge(
            [__DIR__ . '/../../lab/hosts', 'run', PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'log_errors=0'],
            $ffi ? [] : ['-d', 'ffi.enable=0'],
            [__DIR__ . '/near.php', $name, $this->directory]
        );
        $output = ['file', "$this->directory/$name.json", 'w'];
        return proc_open($command, [['file', '/dev/null', 'r'], $output], $pipes);
    }

    /** @return array<string, mixed> */
    private function result(string $name): array
    {
        return json_decode((string) file_get_contents("$this->directory/$name.json"), true)
            ?? ['name' => $name, 'problems' => ['it could not be played, see above']];
    }

    private function makeCertificate(): void
    {
        $key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
        $certificate = openssl_csr_sign(openssl_csr_new(['commonName' => 'far'], $key), null, $key, 2);
        openssl_x509_export($certificate, $certificateText);
        openssl_pkey_export($key, $keyText);
        file_put_contents("$this->directory/certificate.pem", $certificateText . $keyText);
    }

    private function compileNear(): void
    {
        $root = dirname(__DIR__, 2);
        $library = "$this->directory/libkeepalive.so.1"; // the name that the program will look for
        if (!copy("$root/target/release/libkeepalive.so", $library)) {
            throw new \RuntimeException('`make build` has not been run');
        }
        passthru(implode(' ', array_map('escapeshellarg', [
            'cc', '-std=c11', '-Wall', '-Wextra', '-Werror', "-I$root/include", '-o', "$this->directory/near",
            __DIR__ . '/near.c', $library, "-Wl,-rpath,$this->directory",
        ])), $status);
        if ($status !== 0) {
            throw new \RuntimeException('near.c does not compile');
        }
    }
}
