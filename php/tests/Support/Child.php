<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** A program that runs until it ends: mostly PHP with other settings. */
final class Child
{
    /** Seconds. */
    private const PATIENCE = 600.0;

    public string $output;
    public string $errors;
    public int $status;

    private function __construct(string $output, string $errors, int $status)
    {
        $this->output = $output;
        $this->errors = $errors;
        $this->status = $status;
    }

    /**
     * Runs PHP code after the autoloader. The environment is this process's with $environment on top;
     * null removes a variable.
     *
     * @param string[] $flags for PHP, before the script
     * @param array<string, string|null> $environment
     * @param string[] $before a command to run PHP under, strace for instance
     */
    public static function php(
        string $code,
        array $flags = [],
        array $environment = [],
        ?string $folder = null,
        array $before = [],
        string $autoload = __DIR__ . '/../bootstrap.php'
    ): self {
        $script = tempnam(sys_get_temp_dir(), 'keepalive-child-');
        file_put_contents($script, '<?php require ' . var_export($autoload, true) . ";\n" . $code);
        try {
            $command = array_merge($before, [PHP_BINARY], $flags, self::shown($flags), [$script]);
            return self::run($command, $environment, $folder);
        } finally {
            unlink($script);
        }
    }

    /**
     * Runs a file of php/tests/programs.
     *
     * @param string $name without .php
     * @param string[] $flags for PHP, before the script
     * @param array<string, string|null> $environment on top of this process's; null removes a variable
     * @param string[] $before a command to run PHP under, strace for instance
     * @param string[] $arguments for the program
     */
    public static function program(
        string $name,
        array $flags = [],
        array $environment = [],
        array $before = [],
        array $arguments = []
    ): self {
        $script = array_merge([dirname(__DIR__) . "/programs/$name.php"], $arguments);
        return self::run(array_merge($before, [PHP_BINARY], $flags, self::shown($flags), $script), $environment);
    }

    /**
     * @param string[] $command
     * @param array<string, string|null> $environment
     */
    public static function run(array $command, array $environment = [], ?string $folder = null): self
    {
        $process = new Process($command, $environment, $folder);
        $process->closeInput();
        $status = $process->status(self::PATIENCE);
        return new self($process->output(), $process->errors(), $status);
    }

    /**
     * Flags that every child gets.
     *
     * @param string[] $flags its others
     * @return string[]
     */
    private static function shown(array $flags): array
    {
        // PHP before 8.0 has JSON as an extension, which the tests use themselves.
        $json = PHP_VERSION_ID < 80000 && in_array('-n', $flags, true) ? ['-d', 'extension=json'] : [];
        // Errors go to where a test sees them, not into a log.
        return array_merge($json, ['-d', 'display_errors=stderr', '-d', 'log_errors=0', '-d', 'error_reporting=-1']);
    }

    /** @return string[] what to run a command under, so that it can have no more than so many descriptors */
    public static function limitedTo(int $descriptors): array
    {
        return ['sh', '-c', 'ulimit -n "$0" && exec "$@"', (string) $descriptors];
    }

    /** The output of a child that ended with status 0 and printed no errors. */
    public function cleanOutput(): string
    {
        if ($this->status !== 0 || $this->errors !== '') {
            throw new \RuntimeException(
                "The child ended with status $this->status.\nOutput:\n$this->output\nErrors:\n$this->errors"
            );
        }
        return $this->output;
    }
}
