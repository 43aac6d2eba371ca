<?php

declare(strict_types=1);

/** An SVG picture, readable on light and on dark pages, and printed. */
final class Picture
{
    public const FONT = 14;
    private string $drawnBy;
    private string $title;
    private string $description;
    private int $width;
    private int $height;
    private string $content = '';

    public function __construct(string $drawnBy, string $title, string $description, int $width, int $height)
    {
        [$this->drawnBy, $this->title, $this->description] = [$drawnBy, $title, $description];
        [$this->width, $this->height] = [$width, $height];
        $this->text(20, 32, $title, 'title');
    }

    public function text(float $x, float $y, string $text, string $class = '', string $anchor = 'start'): void
    {
        $this->element('text', ['x' => $x, 'y' => $y, 'class' => $class, 'text-anchor' => $anchor], $text);
    }

    public function line(float $x1, float $y1, float $x2, float $y2, string $class): void
    {
        $this->element('line', ['x1' => $x1, 'y1' => $y1, 'x2' => $x2, 'y2' => $y2, 'class' => $class]);
    }

    /** @param string $d relative to $x, $y: "h 5" and so on */
    public function path(float $x, float $y, string $d, string $class): void
    {
        $this->element('path', ['d' => sprintf('M %.1f %.1f %s', $x, $y, $d), 'class' => $class]);
    }

    public function box(float $x, float $y, float $width, float $height, string $class): void
    {
        $this->element('rect', ['x' => $x, 'y' => $y, 'width' => $width, 'height' => $height, 'rx' => 6, 'class' => $class]);
    }

    public function circle(float $x, float $y, string $class): void
    {
        $this->element('circle', ['cx' => $x, 'cy' => $y, 'r' => 6, 'class' => $class]);
    }

    /** @param array<string, string|float|int> $attributes */
    private function element(string $name, array $attributes, ?string $text = null): void
    {
        $this->content .= "<$name";
        foreach ($attributes as $attribute => $value) {
            $value = is_float($value) ? (string) round($value, 1) : (string) $value;
            if ($value !== '' && $value !== 'start') {
                $this->content .= sprintf(' %s="%s"', $attribute, htmlspecialchars($value));
            }
        }
        $this->content .= $text === null ? "/>\n" : '>' . htmlspecialchars($text, ENT_NOQUOTES) . "</$name>\n";
    }

    public function svg(): string
    {
        $font = self::FONT;
        return <<<SVG
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $this->width $this->height" width="$this->width" height="$this->height" role="img">
            <!-- Drawn by $this->drawnBy; do not edit. -->
            <title>$this->title</title>
            <desc>$this->description</desc>
            <style>
            text { font: {$font}px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
            line, path, rect, circle { fill: none; stroke-width: 2; }
            .page { fill: #ffffff; stroke: #d1d9e0; stroke-width: 1; }
            .title { font-size: 18px; font-weight: 600; }
            .label { font-weight: 600; }
            .small { font-size: 12px; fill: #59636e; }
            .code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px; }
            .grid { stroke: #d1d9e0; stroke-width: 1; }
            .life, .bracket, .box { stroke: #818b98; }
            .bracket { stroke-width: 1; }
            .never { stroke: #818b98; stroke-dasharray: 4 4; stroke-width: 1; }
            .probe { stroke: #0969da; fill: #0969da; }
            .answer, .yes { stroke: #1a7f37; }
            .data { stroke: #9a6700; fill: #9a6700; }
            .bar { fill: #54aeff; }
            .limit { stroke: #cf222e; stroke-dasharray: 4 4; }
            .told, .no { stroke: #cf222e; }
            .told { stroke-width: 3; }
            @media (prefers-color-scheme: dark) {
            text { fill: #f0f6fc; }
            .page { fill: #0d1117; stroke: #3d444d; }
            .small { fill: #9198a1; }
            .grid { stroke: #2a3038; }
            .probe { stroke: #4493f8; fill: #4493f8; }
            .answer, .yes { stroke: #3fb950; }
            .data { stroke: #d29922; fill: #d29922; }
            .bar { fill: #1f6feb; }
            .limit { stroke: #f85149; }
            .told, .no { stroke: #f85149; }
            }
            </style>
            <rect class="page" x="0.5" y="0.5" width="{$this->less($this->width)}" height="{$this->less($this->height)}" rx="8"/>
            $this->content</svg>

            SVG;
    }

    private function less(int $length): int
    {
        return $length - 1;
    }
}
