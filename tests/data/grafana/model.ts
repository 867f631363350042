// The classic dashboard as files of dashboards/ may be: Grafana's own types, with each panel's options and each panel's
// field options in their place, and nothing else allowed.
import type * as raw from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as ui from './node_modules/@grafana/schema/dist/types/common/common.gen';
import type * as stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as bargauge from './node_modules/@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as gauge from './node_modules/@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/types.gen';
import type * as timeseries from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import type * as statetimeline from './node_modules/@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as statushistory from './node_modules/@grafana/schema/dist/types/raw/composable/statushistory/panelcfg/x/types.gen';
import type * as table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as text from './node_modules/@grafana/schema/dist/types/raw/composable/text/panelcfg/x/types.gen';
import type * as barchart from './node_modules/@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/types.gen';
import type * as heatmap from './node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';

// JSON has literals where TypeScript has enums.
type J<T> = unknown extends T ? T : T extends string ? `${T}` : T extends readonly (infer U)[] ? J<U>[]
  : T extends object ? { [K in keyof T]: J<T[K]> } : T;
// Options that are left out have defaults.
type P<T> = unknown extends T ? T : T extends string ? `${T}` : T extends readonly (infer U)[] ? P<U>[]
  : T extends object ? { [K in keyof T]?: P<T[K]> } : T;

export interface DataSource { type: 'prometheus'; uid: '${datasource}' }

// @grafana/prometheus, PrometheusQuery.
export interface Target {
  refId: string;
  datasource: DataSource;
  editorMode: 'code';
  expr: string;
  instant: boolean;
  range: boolean;
  format: 'table' | 'time_series' | 'heatmap';
  legendFormat?: string;
  interval?: string;
  exemplar: false;
  hide?: boolean;
}

export interface DataLink { title: string; url: string; targetBlank?: boolean; oneClick?: boolean }
export type Links = DataLink[];
export type Mapping = J<raw.ValueMapping>;
export type Link = J<raw.DashboardLink>;
export type Color = P<raw.FieldColor>;
type Field<C> = Omit<P<raw.FieldConfig>, 'actions' | 'color' | 'custom' | 'links' | 'thresholds' | 'mappings'> & {
  color?: Color; custom?: P<C>; links?: Links; thresholds?: Thresholds; mappings?: Mapping[];
};
export interface Thresholds { mode: 'absolute' | 'percentage'; steps: { color: string; value: number | null }[] }
export interface Override {
  matcher: { id: 'byName' | 'byRegexp' | 'byType' | 'byFrameRefID'; options: string };
  properties: { id: string; value?: unknown }[];
}
type Common = Omit<J<raw.Panel>, 'type' | 'options' | 'targets' | 'fieldConfig' | 'datasource' | 'gridPos' | 'id' | 'title' | 'description' | 'links' | 'libraryPanel' | 'transformations'> & {
  id: number;
  links?: Link[];
  title: string;
  description: string;
  gridPos: { h: number; w: number; x: number; y: number };
  transformations?: { id: string; options: Record<string, unknown>; disabled?: boolean }[];
};
type Kind<T, O, C> = Common & {
  type: T;
  datasource: DataSource;
  options: P<O>;
  targets: Target[];
  fieldConfig: { defaults: Field<C>; overrides: Override[] };
};
export type Stat = Kind<'stat', stat.Options, {}>;
export type BarGauge = Kind<'bargauge', bargauge.Options, {}>;
export type Gauge = Kind<'gauge', gauge.Options, {}>;
export type TimeSeries = Kind<'timeseries', timeseries.Options, timeseries.FieldConfig>;
export type StateTimeline = Kind<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>;
export type StatusHistory = Kind<'status-history', statushistory.Options, statushistory.FieldConfig>;
export type Table = Kind<'table', table.Options, table.FieldConfig>;
export type BarChart = Kind<'barchart', barchart.Options, barchart.FieldConfig>;
export type Heatmap = Kind<'heatmap', heatmap.Options, heatmap.FieldConfig>;
type Data = Stat | BarGauge | Gauge | TimeSeries | StateTimeline | StatusHistory | Table | BarChart | Heatmap;
export type Text = Common & { type: 'text'; options: P<text.Options> };
export type Leaf = Data | Text;
export interface Row {
  id: number; type: 'row'; title: string; collapsed: boolean; gridPos: { h: 1; w: 24; x: 0; y: number }; panels: Leaf[];
  repeat?: string;
}

// @grafana/prometheus reads both shapes of an annotation; this is the newer one.
export interface Annotation {
  name: string;
  enable: boolean;
  hide?: boolean;
  iconColor: string;
  datasource: DataSource;
  filter?: { exclude?: boolean; ids: number[] };
  target: { refId: string; expr: string; interval: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime?: boolean;
}
export interface BuiltIn {
  builtIn: 1; datasource: { type: 'grafana'; uid: '-- Grafana --' }; enable: boolean; hide: boolean; iconColor: string;
  name: 'Annotations & Alerts'; type: 'dashboard';
}
// Grafana's own stored annotations, by tag.
export interface Stored {
  name: string; enable: boolean; hide?: boolean; iconColor: string;
  datasource: { type: 'grafana'; uid: '-- Grafana --' };
  filter?: { exclude?: boolean; ids: number[] };
  target: { type: 'tags'; tags: string[]; matchAny: boolean; limit: number };
}

type Plain = Omit<J<raw.VariableModel>, 'datasource' | 'current' | 'query' | 'type'> & { current?: Record<string, unknown> };
export type Variable =
  | (Plain & { type: 'datasource'; query: 'prometheus' })
  | (Plain & { type: 'query'; datasource: DataSource; definition: string; query: { qryType: 0 | 1 | 2 | 3 | 4 | 5; query: string; refId: string } })
  | (Plain & { type: 'custom' | 'constant' | 'textbox' | 'interval'; query: string });

export type ClassicDashboard =
  Omit<J<raw.Dashboard>, 'panels' | 'templating' | 'annotations' | 'id' | 'snapshot' | 'gnetId' | 'uid' | 'title' | 'description' | 'links'
    | 'schemaVersion' | 'version' | 'revision' | 'tags' | 'time' | 'timezone' | 'refresh' | 'editable'> & {
  annotations: { list: (BuiltIn | Stored | Annotation)[] };
  description: string;
  editable: false;
  links: Link[];
  panels: (Leaf | Row)[];
  refresh: string;
  schemaVersion: 39;
  tags: string[];
  templating: { list: Variable[] };
  time: { from: string; to: string };
  timezone: string;
  title: string;
  uid: string;
};
