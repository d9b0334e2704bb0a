// What Flux and Argo CD do with objects from Git, by their own code.
//
//	gitops KUBECONFIG sync|diff flux|argo [OPTION]... < objects.yaml
//
// `sync` applies the objects. `diff` prints each object that differs from Git, a line of JSON with what is in the cluster and what the engine
// would have there. The options of Argo CD are its own: ServerSideApply, ServerSideDiff and IncludeMutationWebhook.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// engine is what a tool does with objects of Git. `diff` gives nil where nothing differs.
type engine interface {
	sync(ctx context.Context, objects []*unstructured.Unstructured) error
	diff(ctx context.Context, object *unstructured.Unstructured) (*difference, error)
	close()
}

type difference struct {
	Live   json.RawMessage `json:"live"`
	Wanted json.RawMessage `json:"wanted"`
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, arguments []string, in io.Reader, out io.Writer) error {
	if len(arguments) < 3 {
		return errors.New("usage: gitops KUBECONFIG sync|diff flux|argo [OPTION]... < objects.yaml")
	}
	log.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", arguments[0])
	if err != nil {
		return err
	}
	config.QPS = -1 // no limit
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	objects, err := utils.ReadObjects(in)
	if err != nil {
		return fmt.Errorf("cannot read the objects: %w", err)
	}
	var engine engine
	if arguments[2] == "flux" {
		engine = newFlux(cluster, objects)
	} else if engine, err = newArgo(config, cluster, objects, arguments[3:]); err != nil {
		return err
	}
	defer engine.close()
	if arguments[1] == "sync" {
		return engine.sync(ctx, objects)
	}
	lines := json.NewEncoder(out)
	for _, object := range objects {
		found, err := engine.diff(ctx, object)
		if err != nil {
			return fmt.Errorf("cannot compare %s: %w", utils.FmtUnstructured(object), err)
		}
		if found != nil {
			if err := lines.Encode(found); err != nil {
				return err
			}
		}
	}
	return nil
}

type flux struct{ *ssa.ResourceManager }

func newFlux(cluster client.Client, objects []*unstructured.Unstructured) flux {
	poller := polling.NewStatusPoller(cluster, cluster.RESTMapper(), polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	manager := ssa.NewResourceManager(cluster, poller, owner)
	manager.SetOwnerLabels(objects, "models", "flux-system")
	return flux{manager}
}

func (flux) close() {}

func (f flux) sync(ctx context.Context, objects []*unstructured.Unstructured) error {
	_, err := f.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
	return err
}

func (f flux) diff(ctx context.Context, object *unstructured.Unstructured) (*difference, error) {
	entry, live, wanted, err := f.Diff(ctx, object, ssa.DefaultDiffOptions())
	if err != nil || entry.Action == ssa.UnchangedAction {
		return nil, err
	}
	if live == nil {
		return nil, fmt.Errorf("it would be %s", entry.Action)
	}
	of, err := live.MarshalJSON()
	if err != nil {
		return nil, err
	}
	to, err := wanted.MarshalJSON()
	return &difference{of, to}, err
}

const argoManager = "argocd-controller"

type argo struct {
	cluster         client.Client
	resources       kube.ResourceOperations
	files           []func() // ways to delete them
	serverSideApply bool
	options         []diff.Option
}

func newArgo(config *rest.Config, cluster client.Client, objects []*unstructured.Unstructured, options []string) (*argo, error) {
	for _, object := range objects {
		track(object)
	}
	has := func(option string) bool { return slices.Contains(options, option) }
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	_, parser, err := kubectl.LoadOpenAPISchema(config)
	if err != nil {
		return nil, err
	}
	resources, file, err := kubectl.ManageResources(config)
	if err != nil {
		return nil, err
	}
	dryRuns, other, err := kubectl.ManageServerSideDiffDryRuns(config)
	if err != nil {
		file()
		return nil, err
	}
	return &argo{cluster, resources, []func(){file, other}, has("ServerSideApply"), []diff.Option{
		diff.WithLogr(logr.Discard()),
		diff.WithGVKParser(parser),
		diff.WithManager(argoManager),
		diff.WithStructuredMergeDiff(has("ServerSideApply")),
		diff.WithServerSideDiff(has("ServerSideDiff")),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(dryRuns)),
		diff.WithIgnoreMutationWebhook(!has("IncludeMutationWebhook")),
	}}, nil
}

func (a *argo) close() {
	for _, remove := range a.files {
		remove()
	}
}

// track marks an object as one of an application, as Argo CD does.
func track(object *unstructured.Unstructured) {
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	kind := object.GroupVersionKind()
	id := fmt.Sprintf("models:%s/%s:%s/%s", kind.Group, kind.Kind, object.GetNamespace(), object.GetName())
	annotations["argocd.argoproj.io/tracking-id"] = id
	object.SetAnnotations(annotations)
}

func (a *argo) sync(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		if _, err := a.resources.ApplyResource(ctx, object, cmdutil.DryRunNone, false, true, a.serverSideApply, argoManager); err != nil {
			return fmt.Errorf("cannot apply %s: %w", utils.FmtUnstructured(object), err)
		}
	}
	return nil
}

func (a *argo) diff(ctx context.Context, object *unstructured.Unstructured) (*difference, error) {
	live := object.DeepCopy()
	if err := a.cluster.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return nil, err
	}
	result, err := diff.Diff(object, live, a.options...)
	if err != nil || !result.Modified {
		return nil, err
	}
	return &difference{result.NormalizedLive, result.PredictedLive}, nil
}
