<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * Splits a command's arguments into options and words: "--pid 1", "--pid=1", and only words after "--".
 *
 * @internal
 */
final class Arguments
{
    /** Kinds of options; any other kind is the smallest and the largest number that the option takes. */
    public const FLAG = 'flag';
    public const TEXT = 'text';

    /** @var string[] */
    public array $words = [];
    /** @var array<string, int> */
    private array $numbers = [];
    /** @var array<string, string[]> each may be given several times */
    private array $texts = [];
    /** @var array<string, true> */
    private array $flags = [];

    /**
     * @param string $command for messages
     * @param array<string, string|array{int, int}> $kinds of its options, by name without the dashes
     * @param string[] $arguments
     *
     * @throws UsageError
     */
    public function __construct(string $command, array $kinds, array $arguments)
    {
        while ($arguments !== []) {
            $argument = array_shift($arguments);
            if ($argument === '--') {
                array_push($this->words, ...$arguments);
                break;
            }
            if (strncmp($argument, '--', 2) !== 0) {
                $this->words[] = $argument;
                continue;
            }
            $parts = explode('=', substr($argument, 2), 2);
            [$name, $value] = [$parts[0], $parts[1] ?? null];
            if (!isset($kinds[$name])) {
                throw new UsageError("$command has no option --$name.");
            }
            if ($kinds[$name] === self::FLAG) {
                if ($value !== null) {
                    throw new UsageError("--$name takes no value; \"$value\" was given.");
                }
                $this->flags[$name] = true;
                continue;
            }
            $this->take($name, $kinds[$name], $value ?? array_shift($arguments) ?? '');
        }
    }

    /**
     * Those before "--"; after it is another command.
     *
     * @param string[] $arguments
     * @return string[]
     */
    public static function own(array $arguments): array
    {
        $own = [];
        foreach ($arguments as $argument) {
            if ($argument === '--') {
                break;
            }
            $own[] = $argument;
        }
        return $own;
    }

    public function has(string $name): bool
    {
        return isset($this->flags[$name]) || isset($this->numbers[$name]) || isset($this->texts[$name]);
    }

    public function number(string $name): ?int
    {
        return $this->numbers[$name] ?? null;
    }

    /** The last one, if it was given several times. */
    public function text(string $name): ?string
    {
        $texts = $this->texts($name);
        return $texts[count($texts) - 1] ?? null;
    }

    /** @return string[] */
    public function texts(string $name): array
    {
        return $this->texts[$name] ?? [];
    }

    /**
     * Those that were given.
     *
     * @param string[] $names
     * @return string[]
     */
    public function given(array $names): array
    {
        return array_values(array_filter($names, [$this, 'has']));
    }

    /** @param string|array{int, int} $kind */
    private function take(string $name, $kind, string $value): void
    {
        if (is_array($kind)) {
            $number = filter_var($value, FILTER_VALIDATE_INT);
            if ($number === false || $number < $kind[0] || $number > $kind[1]) {
                throw new UsageError("--$name takes a number from $kind[0] to $kind[1]; \"$value\" was given.");
            }
            if (isset($this->numbers[$name])) {
                throw new UsageError("--$name may be given once only.");
            }
            $this->numbers[$name] = $number;
        } elseif ($value === '') {
            throw new UsageError("--$name takes a value.");
        } else {
            $this->texts[$name][] = $value;
        }
    }
}
