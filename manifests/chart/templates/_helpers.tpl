{{- define "seldon-tracing.labels" -}}
app.kubernetes.io/name: seldon-tracing
app.kubernetes.io/part-of: seldon-tracing
{{- end }}

{{- /* The labels of a component's pods: what selects stands first and never changes. */}}
{{- define "seldon-tracing.selector" -}}
app.kubernetes.io/name: seldon-tracing
app.kubernetes.io/component: {{ . }}
{{- end }}

{{- define "seldon-tracing.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "seldon-tracing.keepsCertificates" -}}
{{- if eq .Values.certificates.mode "self" }}yes{{ end }}
{{- end }}

{{- /* The controller has nothing to do where others keep the certificates and nothing is repaired. */}}
{{- define "seldon-tracing.controls" -}}
{{- if or (include "seldon-tracing.keepsCertificates" .) .Values.repair.enabled }}yes{{ end }}
{{- end }}

{{- /* Our commands know where they are installed, unless it is where everybody installs. */}}
{{- define "seldon-tracing.namespaceArg" -}}
{{- if ne .Release.Namespace "seldon-tracing" -}}
- --tracing-namespace={{ .Release.Namespace }}
{{- end }}
{{- end }}

{{- /* What pods have of values that are empty by default. */}}
{{- define "seldon-tracing.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}

{{- define "seldon-tracing.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "seldon-tracing.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "seldon-tracing.subject" -}}
- kind: ServiceAccount
  name: {{ .name }}
  namespace: {{ .namespace }}
{{- end }}

{{- define "seldon-tracing.collectorData" -}}
OTLP_ENDPOINT: {{ .Values.collector.otlpEndpoint | quote }}
OTLP_INSECURE: {{ .Values.collector.otlpInsecure | quote }}
collector.yaml: |
  {{- .Files.Get "files/collector.yaml" | nindent 2 }}
{{- end }}
