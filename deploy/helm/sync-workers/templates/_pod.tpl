{{- define "sync-workers.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "sync-workers.labels" -}}
app.kubernetes.io/name: sync-workers
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "sync-workers.selector" -}}
app.kubernetes.io/name: sync-workers
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "sync-workers.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* A Deployment of one component: root, component, replicas (none where somebody else decides), args, port, live, ready, resources, grace, secrets. */}}
{{- define "sync-workers.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "sync-workers.name" .root }}-{{ .component }}
  labels: {{- include "sync-workers.labels" . | nindent 4 }}
spec:
  {{- if ne (toString .replicas) "none" }}
  replicas: {{ .replicas }}
  {{- end }}
  selector:
    matchLabels: {{- include "sync-workers.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "sync-workers.labels" . | nindent 8 }}
      {{- with .root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .grace }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile: {type: RuntimeDefault}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "sync-workers.selector" . | nindent 14 }}
      containers:
        - name: {{ .component | trunc 60 }}
          image: {{ include "sync-workers.image" .root }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          env:
            - {name: SYNC_WORKERS_CONFIG, value: /etc/sync-workers/sync.toml}
            - {name: SYNC_WORKERS_SECRETS, value: /run/sync-workers}
            - {name: SYNC_WORKERS_HEALTH, value: "0.0.0.0:8080"}
            - {name: SYNC_WORKERS_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }}}
            - {name: SYNC_WORKERS_LOG_FORMAT, value: {{ .root.Values.logFormat | quote }}}
          {{- if .root.Values.tokensSecret }}
          envFrom:
            - secretRef: {name: {{ .root.Values.tokensSecret | quote }}}
          {{- end }}
          ports:
            - {name: http, containerPort: {{ .port }}}
          livenessProbe:
            httpGet: {path: {{ .live }}, port: http}
            periodSeconds: 15
            timeoutSeconds: 10
            failureThreshold: 3
          readinessProbe:
            httpGet: {path: {{ .ready }}, port: http}
            periodSeconds: 10
            timeoutSeconds: 10
          startupProbe:
            httpGet: {path: {{ .live }}, port: http}
            periodSeconds: 3
            failureThreshold: 40
          resources: {{- toYaml .resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: task-file, mountPath: /etc/sync-workers, readOnly: true}
            - {name: secrets, mountPath: /run/sync-workers, readOnly: true}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: task-file
          configMap: {name: {{ include "sync-workers.name" .root }}-task-file}
        - name: secrets
          secret:
            secretName: {{ .root.Values.existingSecret | quote }}
            defaultMode: 0440
            items:
              {{- range .secrets }}
              - {key: {{ . }}, path: {{ . }}}
              {{- end }}
        - name: tmp
          emptyDir: {sizeLimit: 256Mi}
{{- end }}

{{- define "sync-workers.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "sync-workers.name" .root }}-{{ .component }}
  labels: {{- include "sync-workers.labels" . | nindent 4 }}
spec:
  selector: {{- include "sync-workers.selector" . | nindent 4 }}
  ports:
    - {name: http, port: {{ .port }}, targetPort: http}
{{- end }}

{{- define "sync-workers.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "sync-workers.name" .root }}-{{ .component }}
  labels: {{- include "sync-workers.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "sync-workers.selector" . | nindent 6 }}
{{- end }}
