{{- /* Another name than that of our pods, which Services and `check` select. */}}
{{- define "seldon-tracing.testLabels" -}}
app.kubernetes.io/name: seldon-tracing-test
app.kubernetes.io/part-of: seldon-tracing
{{- end }}

{{- /* A pod that has failed stays, for its log. */}}
{{- define "seldon-tracing.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- define "seldon-tracing.testRules" -}}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [seldon-tracing-config]
  verbs: [get]
- apiGroups: [apps]
  resources: [deployments]
  resourceNames: [seldon-tracing, seldon-tracing-controller]
  verbs: [get]
- apiGroups: [""]
  resources: [services]
  resourceNames: [seldon-tracing]
  verbs: [get]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
# For the certificate that each pod shows. Which of the two verbs is asked for depends on the version of Kubernetes.
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [create, get]
{{- end }}

{{- define "seldon-tracing.testModelRules" -}}
- apiGroups: [machinelearning.seldon.io]
  resources: [seldondeployments]
  verbs: [create]
{{- end }}

{{- define "seldon-tracing.testClusterRules" -}}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list]
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  verbs: [get, list]
{{- end }}
