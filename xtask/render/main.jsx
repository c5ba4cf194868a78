/**
 * Draws a dashboard with Grafana's own components and the data of a Prometheus, without a Grafana server.
 * Parameters of the page: `dashboard`, a file; `prometheus`, a URL; `minutes`, the time range; `job`, a regular expression
 * of services.
 * Heat maps and pie charts are stand-ins: Grafana has no packages with them.
 */
import { useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { FieldType, ThemeContext, createTheme, dateTime, getDisplayProcessor } from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';

const COLUMN = 57;
const ROW = 38;
const GAP = 8;
const parameters = new URLSearchParams(location.search);
const minutes = Number(parameters.get('minutes'));
const to = Math.floor(Date.now() / 1000);
const from = to - minutes * 60;
const step = Math.max(5, Math.round(minutes / 4));
const theme = createTheme({ colors: { mode: 'dark' } });

/** Replaces Grafana's variables in a query: these services, all tenants and spans. */
function complete(query) {
  return query
    .replace(/\$\{?__rate_interval\}?/g, '1m')
    .replace(/\$\{?__interval\}?/g, `${step}s`)
    .replace(/\$\{?__range\}?/g, `${minutes}m`)
    .replace(/\$\{?job(:[a-z]+)?\}?/g, parameters.get('job'))
    .replace(/\$\{?[a-z]+(:[a-z]+)?\}?/g, '.+');
}

async function ask(path, query) {
  const answer = await fetch(`${parameters.get('prometheus')}/api/v1/${path}?${new URLSearchParams(query)}`);
  const { status, data, error } = await answer.json();
  if (status !== 'success') throw new Error(error);
  return data.result;
}

/** Fills a legend such as `P95 {{job}}`. */
function nameOf(legend, labels) {
  return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '');
}

/** Returns the field of a series as Grafana's components take it, with the panel's unit, thresholds and colours. */
function frame(panel, index, name, labels, samples) {
  const config = structuredClone(panel.fieldConfig.defaults);
  delete config.links;
  config.displayName = name;
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    if (new RegExp(matcher.options.slice(1, -1)).test(name)) {
      for (const { id, value } of properties) config[id] = value;
    }
  }
  const numbers = samples.map(([, text]) => (Number.isFinite(Number(text)) ? Number(text) : null));
  const state = { seriesIndex: index, displayName: name };
  const value = { name, type: FieldType.number, config, labels, state, values: numbers };
  value.display = getDisplayProcessor({ field: value, theme });
  const time = { name: 'Time', type: FieldType.time, config: {}, values: samples.map(([at]) => at * 1000) };
  time.display = getDisplayProcessor({ field: time, theme });
  return { name, fields: [time, value], length: samples.length };
}

async function load(panel) {
  const isRange = ['timeseries', 'heatmap'].includes(panel.type);
  const frames = [];
  for (const { expr, legendFormat } of panel.targets) {
    const query = complete(expr);
    const found = isRange
      ? await ask('query_range', { query, start: from, end: to, step })
      : await ask('query', { query, time: to });
    for (const { metric, values, value } of found) {
      frames.push(frame(panel, frames.length, nameOf(legendFormat, metric), metric, values ?? [value]));
    }
  }
  return frames;
}

/** A row of cells for each bucket, the lowest at the bottom. */
function Heatmap({ frames, width, height }) {
  const canvas = useRef(null);
  useEffect(() => {
    const bound = ({ le }) => (le === '+Inf' ? Infinity : Number(le));
    const fields = frames.map(({ fields: [, value] }) => value).sort((a, b) => bound(a.labels) - bound(b.labels));
    const counts = fields.map(({ values }, at) => values.map((count, time) => Math.max(0, count - (fields[at - 1]?.values[time] ?? 0))));
    const most = Math.max(...counts.flat(), Number.MIN_VALUE);
    const context = canvas.current.getContext('2d');
    context.font = '11px sans-serif';
    const [cellHeight, left] = [height / fields.length, 60];
    fields.forEach(({ labels }, at) => {
      const top = height - (at + 1) * cellHeight;
      const cellWidth = (width - left) / counts[at].length;
      counts[at].forEach((count, time) => {
        context.fillStyle = `rgba(255, 152, 48, ${Math.sqrt(count / most)})`;
        context.fillRect(left + time * cellWidth, top, cellWidth + 1, cellHeight - 1);
      });
      context.fillStyle = theme.colors.text.secondary;
      context.fillText(labels.le, 4, top + cellHeight * 0.7);
    });
  });
  return <canvas ref={canvas} width={width} height={height} />;
}

function Values({ panel, frames, width, height }) {
  const shown = frames.slice(0, 10).map(({ fields: [, field] }) => ({ field, ...field.display(field.values.at(-1)), title: field.config.displayName }));
  if (panel.type === 'stat') {
    return <div style={{ display: 'flex' }}>{shown.map((value, at) => (
      <BigValue key={at} value={value} width={width / shown.length} height={height} theme={theme} colorMode={panel.options.colorMode}
        graphMode="none" justifyMode="auto" textMode={panel.options.textMode} />
    ))}</div>;
  }
  const max = Math.max(...shown.map(({ numeric }) => numeric), Number.MIN_VALUE);
  return <div>{shown.map((value, at) => (
    <BarGauge key={at} value={value} field={{ ...value.field.config, min: 0, max }} display={value.field.display} theme={theme} width={width}
      height={Math.min(44, height / shown.length)} orientation="horizontal" displayMode="gradient" namePlacement={panel.options.namePlacement} text={panel.options.text} />
  ))}</div>;
}

function Content({ panel, frames, width, height }) {
  if (frames.length === 0) return 'No data';
  if (panel.type === 'heatmap') return <Heatmap frames={frames} width={width} height={height} />;
  if (panel.type !== 'timeseries') return <Values panel={panel} frames={frames} width={width} height={height} />;
  const range = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: `now-${minutes}m`, to: 'now' } };
  return <TimeSeries frames={frames} width={width} height={height} timeRange={range} timeZone="utc" legend={{ ...panel.options.legend, calcs: [] }} />;
}

function Panel({ panel }) {
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (panel.type !== 'row') load(panel).then((frames) => setAnswer({ frames }), (error) => setAnswer({ error: String(error) }));
  }, [panel]);
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * COLUMN - GAP, h * ROW - GAP];
  const place = { position: 'absolute', left: GAP + x * COLUMN, top: GAP + y * ROW, width, height };
  if (panel.type === 'row') return <div style={{ ...place, font: '500 16px sans-serif' }}>{panel.title}</div>;
  return <div style={place}>
    <PanelChrome title={panel.title} width={width} height={height}>
      {(inner, rest) => answer && (answer.error ?? <Content panel={panel} frames={answer.frames} width={inner} height={rest} />)}
    </PanelChrome>
  </div>;
}

const { panels } = await (await fetch(parameters.get('dashboard'))).json();
const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW + 2 * GAP;
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles isExtensionSidebarOpen={false} />
    <div id="dashboard" style={{ position: 'relative', height, width: 24 * COLUMN + GAP, background: theme.colors.background.canvas }}>
      {panels.map((panel) => <Panel key={panel.id} panel={panel} />)}
    </div>
  </ThemeContext.Provider>,
);
