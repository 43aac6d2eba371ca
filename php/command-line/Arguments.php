<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * Splits a command's arguments into options and words: "--pid 1", "--pid=1", and words only after "--".
 *
 * @internal
 */
final class Arguments
{
    /** Kinds of options; any other kind is the smallest number that the option takes. */
    public const FLAG = 'flag';
    public const TEXT = 'text';
    /** May be given several times. */
    public const TEXTS = 'texts';

    /** @var string[] */
    public array $words = [];
    /** @var array<string, int|string|string[]|true> the options that were given, by name */
    public array $options = [];

    /**
     * @param string $command for messages
     * @param array<string, string|int> $kinds of its options, by name without the dashes
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
            [$name, $value] = explode('=', substr($argument, 2), 2) + [1 => null];
            if (!isset($kinds[$name])) {
                throw new UsageError("$command has no option --$name.");
            }
            if ($kinds[$name] === self::FLAG) {
                if ($value !== null) {
                    throw new UsageError("--$name takes no value; \"$value\" was given.");
                }
                $this->options[$name] = true;
                continue;
            }
            $this->take($name, $kinds[$name], $value ?? array_shift($arguments) ?? '');
        }
    }

    public function has(string $name): bool
    {
        return isset($this->options[$name]);
    }

    /** @param string|int $kind */
    private function take(string $name, $kind, string $value): void
    {
        if (is_int($kind)) {
            $number = filter_var($value, FILTER_VALIDATE_INT);
            if ($number === false || $number < $kind) {
                throw new UsageError("--$name takes a number from $kind; \"$value\" was given.");
            }
            $this->options[$name] = $number;
        } elseif ($value === '') {
            throw new UsageError("--$name takes a value.");
        } elseif ($kind === self::TEXTS) {
            $this->options[$name][] = $value;
        } else {
            $this->options[$name] = $value;
        }
    }
}
